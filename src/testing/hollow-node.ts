// A node that runs nothing: its pods become ready at once, or do what the test says, and go when they
// are deleted. It registers itself and renews its lease only once.
import { isConflict, isNotFound } from '../api/api-error.ts'
import type { Pod, PodStatus } from '../api/generated/models.ts'
import { leases, nodes, pods } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../lib/clock.ts'
import { formatMicroTime, formatTime } from '../lib/clock.ts'

export interface HollowNodeOptions {
  readonly client: Client
  readonly clock: Clock
  readonly name: string
  readonly allocatable?: Record<string, string>
  readonly labels?: Record<string, string>
  /** What becomes of a pod that was just bound; ready by default, undefined leaves it pending. */
  readonly run?: (pod: Pod) => Partial<PodStatus> | undefined
}

export async function startHollowNode(options: HollowNodeOptions): Promise<{ stop(): void }> {
  const { client, clock, name, labels = {} } = options
  const allocatable = options.allocatable ?? { cpu: '8', memory: '16Gi', pods: '110' }
  let address = 1
  const now = (): string => formatTime(clock.now())
  await client.create(nodes, {
    metadata: {
      name,
      labels: { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...labels },
    },
  })
  const conditions = [
    { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now(), lastTransitionTime: now() },
  ]
  await client.patch(
    nodes,
    { name },
    { type: 'strategic', value: { status: { allocatable, capacity: allocatable, conditions } } },
    { subresource: 'status' },
  )
  await client.create(leases, {
    metadata: { namespace: 'kube-node-lease', name },
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(clock.now()) },
  })

  function ready(pod: Pod): Partial<PodStatus> {
    const condition = (type: string): NonNullable<PodStatus['conditions']>[number] => ({
      type,
      status: 'True',
      lastTransitionTime: now(),
    })
    const ip = `10.1.${(address >> 8) & 255}.${address++ & 255}`
    return {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      startTime: now(),
      conditions: ['Initialized', 'ContainersReady', 'Ready'].map(condition),
      containerStatuses: pod.spec.containers.map(container => ({
        name: container.name,
        image: container.image ?? '',
        imageID: '',
        ready: true,
        restartCount: 0,
        started: true,
        state: { running: { startedAt: now() } },
      })),
    }
  }

  async function act(pod: Pod): Promise<void> {
    if (pod.metadata.deletionTimestamp !== undefined)
      return client.delete(pods, pod.metadata, { gracePeriodSeconds: 0 })
    if (pod.status.phase !== 'Pending') return
    const status = options.run === undefined ? ready(pod) : options.run(pod)
    if (status !== undefined)
      await client.patch(pods, pod.metadata, { type: 'strategic', value: { status } }, { subresource: 'status' })
  }

  const stop = client.informer(pods).subscribe(({ type, object, old }) => {
    if (type === 'DELETED' || object.spec.nodeName !== name) return
    const bound = old?.spec.nodeName !== name
    const deleted = object.metadata.deletionTimestamp !== undefined && old?.metadata.deletionTimestamp === undefined
    if (!bound && !deleted) return
    queueMicrotask(
      () =>
        void act(object).catch((error: unknown) => {
          if (!isNotFound(error) && !isConflict(error)) throw error
        }),
    )
  })
  return { stop }
}
