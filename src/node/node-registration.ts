// The Node object and its heartbeat: made or brought up to date at start, Ready while the runtime answers,
// a Lease every ten seconds and the whole status, images among it, every five minutes when nothing changes.
import { isAlreadyExists, isConflict, isNotFound } from '../api/api-error.ts'
import type { ContainerImage, Lease, Node, NodeCondition, NodeStatus } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { leases, nodes } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { ImageSummary, Runtime } from '../cri/runtime.ts'
import { machineFacts, type MachineFacts } from '../host/machine.ts'
import { formatMicroTime, formatTime, type Clock, type Timer } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'

export const kubeletVersion = 'v1.36.0'
const leaseNamespace = 'kube-node-lease'
const heartbeatMs = 10_000
const statusMs = 300_000
const leaseSeconds = 40
export const defaultMaximumPods = 110
const reservedFraction = 0.95
const reportedImages = 50
const reportedNames = 5

export interface RegistrationOptions {
  readonly client: Client
  readonly runtime: Runtime
  readonly nodeName: string
  readonly nodeAddress: string
  readonly podCidr: string
  readonly dataDirectory: string
  readonly clock: Clock
  readonly logger: Logger
  readonly maximumPods?: number
  /** How many images the agent has pulled: when there is one more, the node has others. */
  readonly pulledImages: () => number
}

export interface NodeRegistration {
  stop(): void
}

export async function registerNode(options: RegistrationOptions): Promise<NodeRegistration> {
  const { clock, logger } = options
  const facts = machineFacts(options.dataDirectory)
  const version = await options.runtime.version()
  let stopped = false
  let timer: Timer | undefined
  let lastStatusMs = clock.now()
  let lastReady = true
  let lastPulled = options.pulledImages()

  const status = async (): Promise<void> => {
    const problem = await options.runtime.ready().then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    )
    const now = clock.now()
    const pulled = options.pulledImages()
    if (now - lastStatusMs < statusMs && lastReady === (problem === undefined) && lastPulled === pulled) return
    await writeStatus(options, facts, `${version.name}://${version.version}`, problem)
    // One that could not be written is tried again with the next heartbeat.
    lastStatusMs = now
    lastReady = problem === undefined
    lastPulled = pulled
  }
  const beat = async (): Promise<void> => {
    const results = await Promise.allSettled([renewLease(options), status()])
    for (const result of results)
      if (result.status === 'rejected') logger.warn('node heartbeat failed', { error: String(result.reason) })
    if (!stopped) timer = clock.after(heartbeatMs, () => void beat())
  }
  await ensureNode(options, facts, `${version.name}://${version.version}`)
  timer = clock.after(100, () => void beat())
  return {
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}

async function ensureNode(options: RegistrationOptions, facts: MachineFacts, runtimeVersion: string): Promise<void> {
  const { client, nodeName } = options
  const labels = {
    'beta.kubernetes.io/arch': facts.architecture,
    'beta.kubernetes.io/os': facts.operatingSystem,
    'kubernetes.io/arch': facts.architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': facts.operatingSystem,
  }
  try {
    const node: New<Node> = {
      metadata: { name: nodeName, labels },
      spec: { podCIDR: options.podCidr, podCIDRs: [options.podCidr] },
    }
    await client.create(nodes, node)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await client.patch(
      nodes,
      { name: nodeName },
      {
        type: 'merge',
        value: { metadata: { labels }, spec: { podCIDR: options.podCidr, podCIDRs: [options.podCidr] } },
      },
    )
  }
  const problem = await options.runtime.ready().then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  )
  await writeStatus(options, facts, runtimeVersion, problem)
}

async function writeStatus(
  options: RegistrationOptions,
  facts: MachineFacts,
  runtimeVersion: string,
  problem: string | undefined,
): Promise<void> {
  const images = await options.runtime.listImages().then(largestImages, () => undefined)
  for (let attempt = 0; ; attempt++) {
    const node = await options.client.get(nodes, { name: options.nodeName })
    try {
      await options.client.update(
        nodes,
        {
          ...node,
          status: {
            ...nodeStatus(node, options, facts, runtimeVersion, problem),
            ...(images !== undefined && { images }),
          },
        },
        { subresource: 'status' },
      )
      return
    } catch (error) {
      if (!isConflict(error) || attempt >= 5) throw error
    }
  }
}

function nodeStatus(
  node: Node,
  options: RegistrationOptions,
  facts: MachineFacts,
  containerRuntimeVersion: string,
  problem: string | undefined,
): NodeStatus {
  const pods = String(options.maximumPods ?? defaultMaximumPods)
  const diskKibibytes = Math.floor(facts.diskBytes / 1_024)
  return {
    ...node.status,
    addresses: [
      { type: 'InternalIP', address: options.nodeAddress },
      { type: 'Hostname', address: options.nodeName },
    ],
    capacity: {
      cpu: String(facts.cpus),
      memory: `${Math.floor(facts.memoryBytes / 1_024)}Ki`,
      'ephemeral-storage': `${diskKibibytes}Ki`,
      'hugepages-1Gi': '0',
      'hugepages-2Mi': '0',
      pods,
    },
    allocatable: {
      cpu: String(facts.cpus),
      memory: `${Math.floor((facts.memoryBytes * reservedFraction) / 1_024)}Ki`,
      'ephemeral-storage': String(Math.floor(facts.diskBytes * reservedFraction)),
      'hugepages-1Gi': '0',
      'hugepages-2Mi': '0',
      pods,
    },
    conditions: conditionsOf(node, options.clock.now(), problem),
    nodeInfo: {
      architecture: facts.architecture,
      bootID: facts.bootId,
      containerRuntimeVersion,
      kernelVersion: facts.kernelVersion,
      kubeProxyVersion: '',
      kubeletVersion,
      machineID: facts.machineId,
      operatingSystem: facts.operatingSystem,
      osImage: facts.osImage,
      systemUUID: facts.systemUuid,
    },
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
  }
}

/** Those that matter most for where pods go, as kubelet reports them. Source: pkg/kubelet/nodestatus, pkg/kubelet/images. */
function largestImages(images: readonly ImageSummary[]): ContainerImage[] {
  return images
    .toSorted((left, right) => right.sizeBytes - left.sizeBytes || (left.id < right.id ? 1 : -1))
    .slice(0, reportedImages)
    .map(({ digests, tags, sizeBytes }) => ({ names: [...digests, ...tags].slice(0, reportedNames), sizeBytes }))
}

function conditionsOf(node: Node, nowMs: number, problem: string | undefined): NodeCondition[] {
  const now = formatTime(nowMs)
  const wanted: readonly [string, string, string, string][] = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
    ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
    problem === undefined
      ? ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status']
      : ['Ready', 'False', 'KubeletNotReady', `container runtime is not ready: ${problem}`],
  ]
  const old = node.status?.conditions ?? []
  const own = wanted.map(([type, status, reason, message]): NodeCondition => {
    const before = old.find(condition => condition.type === type)
    return {
      type,
      status,
      lastHeartbeatTime: now,
      lastTransitionTime: before?.status === status ? (before.lastTransitionTime ?? now) : now,
      reason,
      message,
    }
  })
  return [...old.filter(({ type }) => !wanted.some(([name]) => name === type)), ...own]
}

async function renewLease({ client, clock, nodeName }: RegistrationOptions): Promise<void> {
  const renewTime = formatMicroTime(clock.now())
  const name = { namespace: leaseNamespace, name: nodeName }
  try {
    await client.patch(leases, name, {
      type: 'merge',
      value: { spec: { renewTime, holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds } },
    })
  } catch (error) {
    if (!isNotFound(error)) throw error
    const node = await client.get(nodes, { name: nodeName })
    const lease: New<Lease> = {
      metadata: {
        ...name,
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid }],
      },
      spec: { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime },
    }
    await client.create(leases, lease)
  }
}
