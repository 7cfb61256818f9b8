// Binds pods to nodes as soon as they appear. Event-driven: a pod without a node, a node that changed or
// a pod that left start a round; nothing polls. A placement counts before its binding is confirmed, so
// bindings overlap; a refused one is taken back and the pod tried again.
import { isNotFound } from '../api/api-error.ts'
import type { Binding, Node, PersistentVolumeClaim, Pod } from '../api/generated/models.ts'
import { keyOf, splitKey } from '../api/object.ts'
import { claimKeysOf } from '../api/persistent-storage.ts'
import {
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  storageClasses,
} from '../api/resources.ts'
import { sameJson } from '../api/validation/scalars.ts'
import type { Change, Client } from '../client/client.ts'
import { patchPodStatus } from '../control/disruption-target.ts'
import { createEventSeriesRecorder } from '../control/event-series-recorder.ts'
import { conditionOf, isActive, isFinished, isTerminating } from '../control/pods.ts'
import type { Clock } from '../lib/clock.ts'
import { formatTime } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import { VolumeBinder, VolumeBindingError, type Reservation } from './bind-volumes.ts'
import { makeRoom } from './make-room.ts'
import { PendingPods } from './pending-pods.ts'
import { preempt, type NoPreemption, type Preemption } from './preempt.ts'
import type { Requirements } from './requirements.ts'
import { requirementsOf } from './requirements.ts'
import { availability } from './rule.ts'
import { schedule } from './schedule.ts'
import { Snapshot } from './snapshot.ts'
import { claimObstacle } from './volumes.ts'

export interface SchedulerOptions {
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  /** The machine, for the events. */
  readonly host: string
  /** Pods that name another scheduler are left alone; `default-scheduler` by default. */
  readonly name?: string
}

/** Work gives way to other tasks of the process after so long. */
const sliceMs = 8
const retryMs = 1_000
const noteLimit = 1_024
/** What the plug-in DynamicResources of 1.36 adds to every refusal before preemption has its say. */
const noClaims = 'no new claims to deallocate'

export async function startScheduler(options: SchedulerOptions): Promise<{ stop(): Promise<void> }> {
  const { client, clock, random } = options
  const schedulerName = options.name ?? 'default-scheduler'
  const logger = options.logger.with({ component: 'scheduler' })
  const recorder = createEventSeriesRecorder({
    client,
    clock,
    random,
    logger,
    controller: schedulerName,
    host: options.host,
  })
  const podInformer = client.informer(pods)
  const nodeInformer = client.informer(nodes)
  const namespaceInformer = client.informer(namespaces)
  const budgetInformer = client.informer(podDisruptionBudgets)
  const namespaceLabels = (namespace: string): Readonly<Record<string, string>> | undefined =>
    namespaceInformer.get({ name: namespace })?.metadata.labels
  const storage = new VolumeBinder(client, clock)
  const snapshot = new Snapshot()
  const pending = new PendingPods()
  const bindings = new Set<Promise<void>>()
  let state: 'starting' | 'running' | 'stopped' = 'starting'
  let planned = false
  let start = 0

  const isRunning = (): boolean => state === 'running'
  const isMine = (pod: Pod): boolean =>
    !pod.spec.nodeName &&
    isActive(pod) &&
    pod.spec.schedulerName === schedulerName &&
    (pod.spec.schedulingGates ?? []).length === 0

  function onPod({ type, object, old }: Change<Pod>): void {
    const key = keyOf(object)
    if (type === 'DELETED' || isFinished(object)) {
      pending.remove(key)
      storage.podGone(object.metadata.uid)
      snapshot.removePod(object.metadata.uid)
      if (snapshot.nominations.delete(object.metadata.uid) !== undefined || object.spec.nodeName) pending.retryAll()
      return roundSoon()
    }
    snapshot.setPod(object)
    const lostNomination = noteNomination(object, old)
    if (!isMine(object)) {
      pending.remove(key)
      // A newcomer may be what a pod with affinity waits for.
      if (object.spec.nodeName && !old?.spec.nodeName)
        pending.retryAll(waiting => waiting.spec.affinity?.podAffinity !== undefined)
      // Pods that are about to go do not count for the spread any more.
      if (isTerminating(object) && old !== undefined && !isTerminating(old))
        pending.retryAll(waiting => waiting.spec.topologySpreadConstraints !== undefined)
    } else if (
      lostNomination ||
      old === undefined ||
      !isMine(old) ||
      (old.spec !== object.spec && !sameJson(old.spec, object.spec))
    )
      pending.add(object)
    else pending.refresh(object)
    roundSoon()
  }

  /** Takes in what the API says was promised to the pod; returns whether a promise was taken back. */
  function noteNomination(pod: Pod, old: Pod | undefined): boolean {
    const { uid } = pod.metadata
    const promised = pod.status.nominatedNodeName ?? ''
    if (pod.spec.nodeName) snapshot.nominations.delete(uid)
    else if (promised !== (old?.status.nominatedNodeName ?? '')) {
      if (promised !== '') snapshot.nominations.set(requirementsOf(pod), promised)
      else return snapshot.nominations.delete(uid) !== undefined
    }
    return false
  }

  function onNode({ type, object, old }: Change<Node>): void {
    if (type === 'DELETED') snapshot.removeNode(object.metadata.name)
    else snapshot.setNode(object)
    if (type === 'MODIFIED' && sameForScheduling(object, old)) return
    pending.retryAll()
    roundSoon()
  }

  function onClaim({ object }: Change<PersistentVolumeClaim>): void {
    const key = keyOf(object)
    storage.claimChanged(key)
    pending.retryAll(pod => claimKeysOf(pod).includes(key))
    roundSoon()
  }

  /** Volumes and classes say what claims can get. */
  function onStorage(): void {
    pending.retryAll(pod => claimKeysOf(pod).length > 0)
    roundSoon()
  }

  function roundSoon(): void {
    if (planned || !isRunning() || !pending.hasReady()) return
    planned = true
    queueMicrotask(round)
  }

  function round(): void {
    planned = false
    const endMs = performance.now() + sliceMs
    for (;;) {
      const pod = isRunning() ? pending.next() : undefined
      if (pod === undefined) return
      place(pod)
      if (performance.now() >= endMs) break
    }
    planned = true
    setImmediate(round)
  }

  function place(pod: Pod): void {
    const { size } = snapshot.nodes
    const obstacle = size === 0 ? undefined : claimObstacle(pod, storage)
    // The plug-ins that speak of preemption elsewhere have nothing but this to say here.
    if (obstacle !== undefined) return leavePending(pod, `0/${size} nodes are available: ${obstacle}. not found`)
    const requirements = requirementsOf(pod)
    const placement = schedule(requirements, snapshot, { random, start: start++, namespaceLabels, storage })
    if ('node' in placement) {
      const volumes = storage.reserve(pod, snapshot.nodes.get(placement.node)!.node)
      snapshot.place(requirements, placement.node)
      const promised = snapshot.nominations.delete(pod.metadata.uid)
      if (promised !== undefined && promised !== placement.node) pending.retryAll()
      return track(bind(requirements, placement.node, volumes))
    }
    if (size === 0) return leavePending(pod, 'no nodes available to schedule pods')
    const why = availability(
      size,
      Array.from(placement.unfit.values(), ({ reasons }) => reasons),
    )
    const plan = preempt(requirements, snapshot, placement.unfit, {
      budgets: budgetInformer.list(),
      namespaceLabels,
      storage,
      random,
      nowMs: clock.now(),
    })
    if (!('victims' in plan)) return leavePending(pod, `${why} ${noClaims}, preemption: ${plan.why}`, plan)
    pending.hold(pod)
    const pushedAside = snapshot.nominations.behind(pod, plan.node)
    snapshot.nominations.set(requirements, plan.node)
    track(free(pod, plan, pushedAside, why))
  }

  function leavePending(pod: Pod, message: string, plan?: NoPreemption): void {
    pending.park(pod)
    const losesNomination =
      plan?.losesNomination === true && snapshot.nominations.delete(pod.metadata.uid) !== undefined
    track(reportUnschedulable(pod, message, losesNomination ? { nominatedNodeName: null } : {}))
  }

  /** The pod is tried again when the victims have gone; until then they still take their room. */
  async function free(pod: Pod, plan: Preemption, pushedAside: readonly Pod[], message: string): Promise<void> {
    const key = keyOf(pod)
    try {
      await reportUnschedulable(pod, message, { nominatedNodeName: plan.node })
      await makeRoom({ client, clock, recorder }, pod, plan, pushedAside)
      pending.release(key)
    } catch (error) {
      logger.warn('preemption failed', { pod: key, node: plan.node, error: String(error) })
      clock.after(retryMs, () => {
        pending.release(key, true)
        roundSoon()
      })
    }
    roundSoon()
  }

  function track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => logger.warn('scheduling step failed', { error: String(error) }))
      .finally(() => bindings.delete(tracked))
    bindings.add(tracked)
  }

  async function bind({ pod }: Requirements, nodeName: string, volumes: Reservation | undefined): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    try {
      if (volumes !== undefined) await storage.bind(volumes)
      await client.post<Binding>(pods, { namespace, name }, 'binding', {
        metadata: { name, namespace, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
      })
      recorder.recordEvent(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`, {
        action: 'Binding',
      })
    } catch (error) {
      snapshot.removePod(uid)
      const current = podInformer.get({ namespace, name })
      if (current?.spec.nodeName) snapshot.setPod(current)
      else if (current?.status.nominatedNodeName)
        snapshot.nominations.set(requirementsOf(current), current.status.nominatedNodeName)
      if (isNotFound(error) || current === undefined || !isRunning()) return
      logger.warn('binding failed', { pod: keyOf(pod), node: nodeName, error: String(error) })
      if (error instanceof VolumeBindingError) track(reportUnschedulable(current, error.message, {}))
      clock.after(retryMs, () => retry(keyOf(pod)))
    }
  }

  function retry(key: string): void {
    const pod = podInformer.get(splitKey(key))
    if (pod === undefined || !isMine(pod)) return
    pending.add(pod)
    roundSoon()
  }

  /** @param nomination what becomes of the node that was promised to the pod */
  async function reportUnschedulable(
    pod: Pod,
    message: string,
    nomination: { readonly nominatedNodeName?: string | null },
  ): Promise<void> {
    recorder.recordEvent(pod, 'Warning', 'FailedScheduling', shortened(message), { action: 'Scheduling' })
    const before = conditionOf(pod, 'PodScheduled')
    const isKnown = before?.status === 'False' && before.reason === 'Unschedulable' && before.message === message
    if (isKnown && nomination.nominatedNodeName === undefined) return
    const lastTransitionTime = before?.status === 'False' ? before.lastTransitionTime : formatTime(clock.now())
    const { generation } = pod.metadata
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      ...(generation !== undefined && { observedGeneration: generation }),
      lastProbeTime: null,
      lastTransitionTime,
    }
    await patchPodStatus(client, pod, { conditions: [condition], ...nomination })
  }

  const storageInformers = [
    client.informer(persistentVolumeClaims),
    client.informer(persistentVolumes),
    client.informer(storageClasses),
  ] as const
  const unsubscribe = [
    nodeInformer.subscribe(onNode),
    podInformer.subscribe(onPod),
    storageInformers[0].subscribe(onClaim),
    storageInformers[1].subscribe(onStorage),
    storageInformers[2].subscribe(onStorage),
  ]
  await Promise.all(
    [nodeInformer, podInformer, namespaceInformer, budgetInformer, ...storageInformers].map(
      informer => informer.synced,
    ),
  )
  state = 'running'
  roundSoon()
  return {
    async stop() {
      state = 'stopped'
      for (const end of unsubscribe) end()
      storage.stop()
      await Promise.all(bindings)
      await recorder.flush()
    },
  }
}

/** As much of a message as an event takes. */
const shortened = (message: string): string =>
  message.length <= noteLimit ? message : `${message.slice(0, noteLimit - 4)} ...`

/** Heartbeats change nodes all the time; only this decides where pods go. */
const sameForScheduling = (node: Node, old: Node): boolean =>
  node.spec.unschedulable === old.spec.unschedulable &&
  sameJson(node.spec.taints, old.spec.taints) &&
  sameJson(node.status.allocatable, old.status.allocatable) &&
  sameJson(node.metadata.labels, old.metadata.labels)
