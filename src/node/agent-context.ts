// What every pod's worker shares.
import type { ClusterNetwork } from '../api/cluster.ts'
import type { Node, Service } from '../api/generated/models.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../control/event-recorder.ts'
import type { Runtime } from '../cri/runtime.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { DnsSettings } from '../lib/resolv-conf.ts'
import type { NodeCapacity } from './downward-api.ts'
import type { ImageProvider } from './image-provider.ts'
import type { ObjectSource } from './object-source.ts'
import type { PodCgroups } from './pod-cgroups.ts'
import type { StartQueue } from './start-queue.ts'
import type { TokenSource } from './token-source.ts'

export interface AgentContext {
  readonly client: Client
  readonly runtime: Runtime
  readonly network: ClusterNetwork
  readonly nodeName: string
  readonly dataDirectory: string
  readonly cgroups: PodCgroups
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventRecorder
  readonly images: ImageProvider
  readonly objects: ObjectSource
  readonly tokens: TokenSource
  readonly node: NodeCapacity
  /** As it is at the moment. */
  readonly hostDns: () => DnsSettings
  /** As the API shows it. */
  readonly ownNode: () => Node | undefined
  readonly hasAppArmor: boolean
  readonly services: () => readonly Service[]
  /** Limits how many sandboxes and containers start at the same time. */
  readonly starts: StartQueue
}
