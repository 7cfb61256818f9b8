// The node agent (what Kubernetes calls the kubelet): registers the node, runs the pods bound to it, and
// serves logs, exec, attach and port-forward. It only speaks to the API and to a container runtime.
// Stopping it leaves containers running; the next agent adopts them.
import { availableParallelism } from 'node:os'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClusterNetwork } from '../api/cluster.ts'
import type { Pod } from '../api/generated/models.ts'
import { configMaps, nodes, pods, secrets, services } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { createEventRecorder } from '../control/event-recorder.ts'
import type { ContainerStats, Runtime } from '../cri/runtime.ts'
import { isAppArmorEnabled } from '../host/app-armor.ts'
import { cgroupFacts } from '../host/cgroups.ts'
import { machineFacts } from '../host/machine.ts'
import { unmountBelow } from '../host/mounts.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { noDns, type DnsSettings } from '../lib/resolv-conf.ts'
import type { NodeStreams } from '../streams/node-streams.ts'
import type { AgentContext } from './agent-context.ts'
import { imageProvider } from './image-provider.ts'
import { LogFiles } from './log-files.ts'
import { nodeEndpoint } from './node-endpoints.ts'
import { defaultMaximumPods, registerNode } from './node-registration.ts'
import { objectSource } from './object-source.ts'
import { PodCgroups } from './pod-cgroups.ts'
import { podsDirectory } from './pod-directories.ts'
import { PodPool } from './pod-pool.ts'
import { StartQueue } from './start-queue.ts'
import { nodeStreams } from './serve-streams.ts'
import { tokenSource } from './token-source.ts'

export interface NodeAgentOptions {
  readonly client: Client
  readonly runtime: Runtime
  readonly nodeName: string
  readonly network: ClusterNetwork
  /** Volumes and logs; on a disk. */
  readonly dataDirectory: string
  /** Control group above the pods' own, `/sampan` by default. */
  readonly cgroupRoot?: string
  readonly clock: Clock
  readonly logger: Logger
  readonly maximumPods?: number
  /** What the machine's own resolv.conf says at the moment; nothing by default. */
  readonly hostDns?: () => DnsSettings
}

export interface NodeAgent extends NodeStreams {
  /** Resolves when the node is registered and its pods are looked after. */
  readonly ready: Promise<void>
  /** What running containers use, for metrics and autoscaling. */
  stats(): Promise<ContainerStats[]>
  /**
   * Ends all containers as when their pods are deleted, within the limit; the pods stay, and the next agent starts
   * them again. What is left is told at first and whenever a pod has ended; may be called again with less time.
   */
  stopPods(limitSeconds: number, onProgress: (left: readonly string[]) => void): Promise<void>
  /** Containers run on. */
  stop(): Promise<void>
}

const processors = availableParallelism()
/** A start waits for the disk and the runtime now and then; more at once only get in each other's way. */
const parallelStarts = processors + 1

export async function startNodeAgent(options: NodeAgentOptions): Promise<NodeAgent> {
  const { client, runtime, nodeName, network, clock, logger } = options
  await mkdir(options.dataDirectory, { recursive: true })
  const context = contextOf(options)
  // Asked for early: they fill while the node registers.
  const podInformer = client.informer(pods)
  const sources = [
    client.informer(configMaps),
    client.informer(secrets),
    client.informer(services),
    client.informer(nodes),
  ] as const
  const logs = new LogFiles(runtime, clock)
  const pool = new PodPool(context, logs)
  const [registration] = await Promise.all([
    registerNode({
      client,
      runtime,
      nodeName,
      nodeAddress: network.nodeAddress,
      podCidr: network.podCidr,
      dataDirectory: options.dataDirectory,
      clock,
      logger,
      pulledImages: () => context.images.pulled,
      ...(options.maximumPods !== undefined && { maximumPods: options.maximumPods }),
    }),
    pool.observeRuntime(),
    podInformer.synced,
    ...sources.map(informer => informer.synced),
  ])
  const mine = (pod: Pod): boolean => pod.spec.nodeName === nodeName
  const bound = podInformer.list().filter(mine)
  const known = new Set(bound.map(pod => pod.metadata.uid))
  for (const pod of bound.toSorted(inOrderOfAdmission)) pool.podChanged(pod)
  const unsubscribe = [
    sources[0].subscribe(({ object }) => pool.sourceChanged('configMaps', object.metadata)),
    sources[1].subscribe(({ object }) => pool.sourceChanged('secrets', object.metadata)),
    podInformer.subscribe(change => {
      if (change.type === 'DELETED') pool.podDeleted(change.object)
      else if (mine(change.object)) pool.podChanged(change.object)
    }),
    runtime.subscribe(event => void pool.runtimeEvent(event)),
  ]
  await pool.removeOrphans(known)
  void removeOrphanDirectories(options.dataDirectory, known, logger)
  const streams = nodeStreams(pool, logs, runtime, network.nodeAddress, () => clock.now())
  return {
    ...streams,
    endpoint: nodeEndpoint({
      client,
      runtime,
      nodeName,
      maximumPods: options.maximumPods ?? defaultMaximumPods,
      logs: streams.logs,
      now: () => clock.now(),
    }),
    ready: Promise.resolve(),
    stats: () => runtime.containerStats(),
    stopPods: (limitSeconds, onProgress) => pool.stopPods(clock.now() + limitSeconds * 1_000, onProgress),
    async stop() {
      for (const stop of unsubscribe) stop()
      registration.stop()
      logs.stop()
      await pool.halt()
    },
  }
}

/** What was here before comes first, so that nothing newer takes its place; then who asked first. */
function inOrderOfAdmission(left: Pod, right: Pod): number {
  const beginOf = ({ metadata, status }: Pod): string => status?.startTime ?? `later ${metadata.creationTimestamp}`
  return beginOf(left) < beginOf(right) ? -1 : 1
}

function contextOf(options: NodeAgentOptions): AgentContext {
  const { client, runtime, nodeName, network, clock, logger, dataDirectory } = options
  const facts = machineFacts()
  const objects = objectSource(client)
  return {
    client,
    runtime,
    network,
    nodeName,
    dataDirectory,
    clock,
    logger,
    objects,
    cgroups: new PodCgroups({
      facts: cgroupFacts(),
      root: options.cgroupRoot ?? '/sampan',
      processors: facts.cpus,
      logger,
    }),
    events: createEventRecorder({ client, clock, logger, component: 'kubelet', host: nodeName }),
    images: imageProvider(runtime, objects, clock),
    tokens: tokenSource(client, clock),
    node: { cpus: facts.cpus, memoryBytes: facts.memoryBytes, diskBytes: facts.diskBytes },
    hostDns: options.hostDns ?? (() => noDns),
    ownNode: () => client.informer(nodes).get({ name: nodeName }),
    hasAppArmor: isAppArmorEnabled(),
    services: () => client.informer(services).list(),
    starts: new StartQueue({ clock, processors, limit: parallelStarts }),
  }
}

/** Directories of pods that ended while no agent ran. */
async function removeOrphanDirectories(
  dataDirectory: string,
  known: ReadonlySet<string>,
  logger: Logger,
): Promise<void> {
  const names = await readdir(podsDirectory(dataDirectory)).catch(() => [])
  for (const name of names.filter(uid => !known.has(uid))) {
    const directory = join(podsDirectory(dataDirectory), name)
    try {
      await unmountBelow(directory)
      await rm(directory, { recursive: true, force: true })
    } catch (error) {
      logger.warn('directory of an ended pod not removed', { directory, error: String(error) })
    }
  }
}
