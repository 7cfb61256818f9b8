// This server among those that share its store: who else lives, and who does the work that one does for all.
// A server with a store of its own is alone, and does everything itself.
import type { ClusterNetwork } from '../api/cluster.ts'
import type { Client } from '../client/client.ts'
import type { Running } from '../control/controller.ts'
import { createEventRecorder } from '../control/event-recorder.ts'
import { runWhileLeading } from '../control/while-leading.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { Store } from '../store/store.ts'
import { publishClusterServices } from './cluster-services.ts'
import { keepLiveServers, type LiveServer } from './live-servers.ts'
import { freeDeletedPlaces } from './reserved-places.ts'

export interface MembershipOptions {
  readonly client: Client
  readonly store: Store
  readonly isShared: boolean
  readonly network: ClusterNetwork
  readonly self: LiveServer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface Membership {
  /** Where the server of that node answers; undefined: none that lives. */
  peer(nodeName: string): { readonly host: string; readonly port: number } | undefined
  /** Starts what one of the servers does for all, here or when this server leads. */
  readonly elected: (component: string, start: () => Promise<Running>) => Promise<Running>
  stop(): Promise<void>
}

/** Where events about leadership come from, when the name of the lease is not it. */
const reportedAs: Readonly<Record<string, string>> = { 'kube-scheduler': 'default-scheduler' }

export async function beMember(options: MembershipOptions): Promise<Membership> {
  const { client, store, network, self, clock, random } = options
  if (!options.isShared) {
    await publishClusterServices(client, network, [self])
    return { peer: () => undefined, elected: (_component, start) => start(), stop: async () => {} }
  }
  const logger = options.logger.with({ component: 'servers' })
  let servers: readonly LiveServer[] = []
  const deletedNodes = freeDeletedPlaces({ client, store, logger, servers: () => servers })
  const publish = (live: readonly LiveServer[]): Promise<void> => {
    const gone = servers
      .filter(server => !live.some(({ nodeName }) => nodeName === server.nodeName))
      .map(({ nodeName }) => nodeName)
    servers = live
    deletedNodes.serversGone(gone)
    return publishClusterServices(client, network, live)
  }
  const liveServers = await keepLiveServers({ client, clock, logger, self, uuid: random.uuid(), publish })
  return {
    peer(nodeName) {
      const found = nodeName === self.nodeName ? undefined : servers.find(server => server.nodeName === nodeName)
      return found && { host: found.advertisedAddress ?? found.address, port: found.port }
    },
    elected: (component, start) => lead(options, component, start),
    async stop() {
      deletedNodes.stop()
      await liveServers.stop()
    },
  }
}

async function lead(
  { client, self, clock, random, logger }: MembershipOptions,
  component: string,
  start: () => Promise<Running>,
): Promise<Running> {
  return runWhileLeading({
    client,
    clock,
    logger: logger.with({ component }),
    name: { namespace: 'kube-system', name: component },
    identity: `${self.nodeName}_${random.uuid()}`,
    start,
    events: createEventRecorder({ client, clock, logger, component: reportedAs[component] ?? component }),
    // This process holds the lock of its data directory.
    isGone: holder => holder.startsWith(`${self.nodeName}_`),
  })
}
