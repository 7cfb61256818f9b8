// The place of a server among those that share a store: the name of its node and a range of addresses for
// its pods, each reserved with a key of its own, so that two that join at the same moment get different ones.
import { leases, nodes } from '../api/resources.ts'
import type { Resource } from '../api/resource.ts'
import type { Client } from '../client/client.ts'
import type { Logger } from '../lib/logger.ts'
import { storeKeyOf } from '../server/storage/object-storage.ts'
import type { Store } from '../store/store.ts'
import { SetupError } from './data-directory.ts'
import { leaseOfServer, type LiveServer } from './live-servers.ts'

export interface Place {
  readonly nodeName: string
  readonly podCidr: string
}

const rangesPrefix = '/ranges/'
const namesPrefix = '/names/'
const rangeKey = (podCidr: string): string => rangesPrefix + podCidr.replace('/', '-')
const nameKey = (nodeName: string): string => namesPrefix + nodeName

/** The ranges of pods that nodes of the cluster have. */
export async function reservedRanges(store: Store): Promise<string[]> {
  return (await store.range(rangesPrefix)).entries.map(({ key }) => key.slice(rangesPrefix.length).replace('-', '/'))
}

/** How many servers have a place. */
export async function countPlaces(store: Store): Promise<number> {
  return (await store.range(namesPrefix, { limit: 1 })).count
}

/** False when another node has the range. */
export const reserveRange = (store: Store, podCidr: string, nodeName: string): Promise<boolean> =>
  reserve(store, rangeKey(podCidr), nodeName)

/** False when the node of another range has the name. */
export const reserveName = (store: Store, nodeName: string, podCidr: string): Promise<boolean> =>
  reserve(store, nameKey(nodeName), podCidr)

const reserve = async (store: Store, key: string, value: string): Promise<boolean> =>
  (await store.put(key, Buffer.from(value), 0)).ok

/**
 * Makes sure at a start that the place is this server's; when it was freed meanwhile, it is taken again.
 * @throws SetupError when another server has got it
 */
export async function claimPlace(store: Store, { nodeName, podCidr }: Place): Promise<void> {
  const name = await store.put(nameKey(nodeName), Buffer.from(podCidr), 0)
  const range = await store.put(rangeKey(podCidr), Buffer.from(nodeName), 0)
  const isOwn = name.ok
    ? range.ok || textOf(range.current?.value) === nodeName
    : textOf(name.current?.value) === podCidr
  if (isOwn) return
  if (name.ok) await store.delete(nameKey(nodeName), name.revision)
  if (range.ok) await store.delete(rangeKey(podCidr), range.revision)
  throw new SetupError(
    `the node "${nodeName}" with the range ${podCidr} was deleted while this server was down, and another server has its place now; take this one away with "sampan down --purge", then join again`,
  )
}

/** Lets other servers have the place. */
export async function freePlace(store: Store, { nodeName, podCidr }: Place): Promise<void> {
  const isOwn = await removeIf(store, nameKey(nodeName), value => value === podCidr)
  // Last, since the next server looks for a range first. It may have been reserved before the name was settled.
  await removeIf(store, rangeKey(podCidr), value => isOwn || value === nodeName)
}

/** Takes away what a server that does not run any more has in the store: its node, its leases and its place. */
export async function leavePlace(store: Store, place: Place): Promise<void> {
  const { nodeName, podCidr } = place
  const held = await store.get(nameKey(nodeName))
  // Another server may have got the name meanwhile; the node is that one's then.
  if (textOf(held?.value) === podCidr) {
    const objects: readonly (readonly [Resource, string])[] = [
      [nodes, nodeName],
      [leases, `kube-node-lease/${nodeName}`],
      [leases, leaseOfServer(nodeName)],
    ]
    for (const [resource, key] of objects) await removeIf(store, storeKeyOf(resource, key), () => true)
  }
  await freePlace(store, place)
}

const textOf = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString()

/** Other servers may write at the same moment. @returns whether it was there and is gone */
async function removeIf(store: Store, key: string, applies: (value: string) => boolean): Promise<boolean> {
  let entry = await store.get(key)
  while (entry !== undefined && applies(textOf(entry.value)!)) {
    const result = await store.delete(key, entry.revision)
    if (result.ok) return true
    entry = result.current
  }
  return false
}

export interface FollowOptions {
  readonly client: Client
  readonly store: Store
  readonly logger: Logger
  readonly servers: () => readonly LiveServer[]
}

export interface FollowedNodes {
  /** To be called with the servers that live no longer. */
  serversGone(nodeNames: readonly string[]): void
  stop(): void
}

/** Frees the place of a server once it is gone and its Node is deleted, in whichever order. */
export function freeDeletedPlaces({ client, store, logger, servers }: FollowOptions): FollowedNodes {
  const informer = client.informer(nodes)

  function look(nodeName: string): void {
    if (informer.get({ name: nodeName }) !== undefined || servers().some(server => server.nodeName === nodeName)) return
    free(nodeName).catch((error: unknown) =>
      logger.warn('the place of a server that is gone could not be freed; delete its node again', {
        node: nodeName,
        error: String(error),
      }),
    )
  }

  async function free(nodeName: string): Promise<void> {
    const podCidr = textOf((await store.get(nameKey(nodeName)))?.value)
    if (podCidr === undefined) return
    await freePlace(store, { nodeName, podCidr })
    logger.info('the place of a server that is gone is free again', { node: nodeName, podCidr })
  }

  const unsubscribe = informer.subscribe(({ type, object }) => {
    if (type === 'DELETED') look(object.metadata.name)
  })
  return { serversGone: names => names.forEach(look), stop: unsubscribe }
}
