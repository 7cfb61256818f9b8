// The first start of a server on an etcd: it begins a cluster there, or joins the one that is there with a
// token. Everything is looked at before anything is written, so that a refusal changes nothing.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { whileLocked } from '../host/lock.ts'
import type { Clock } from '../lib/clock.ts'
import type { Store } from '../store/store.ts'
import {
  holdsCluster,
  ownToken,
  parseToken,
  readIdentity,
  saveIdentity,
  type ClusterIdentity,
  type JoinToken,
} from './cluster-identity.ts'
import {
  announce,
  knownFacts,
  newFacts,
  openDataDirectory,
  otherClusters,
  saveFacts,
  SetupError,
  type ClusterFacts,
  type ClusterPlaces,
} from './data-directory.ts'
import { openSharedStore, rememberStore, type StoreSettings } from './open-store.ts'
import { freePlace, reservedRanges, reserveName, reserveRange } from './reserved-places.ts'

/** @param text is the token, if any. @throws SetupError, StoreFailure */
export async function prepareFirstStart(
  places: ClusterPlaces,
  settings: StoreSettings | undefined,
  text: string | undefined,
  clock: Clock,
): Promise<void> {
  const token = text === undefined ? undefined : parseToken(text)
  if (knownFacts(places) !== undefined) return assertMember(places, token)
  if (settings === undefined || !settings.store.startsWith('etcd=')) {
    if (token !== undefined)
      throw new SetupError('a token to join with needs --store etcd=..., naming the etcd of the cluster')
    return
  }
  const joined = token === undefined ? settings : { ...settings, cluster: token.cluster }
  const store = await openSharedStore(places, joined, clock)
  try {
    if (token !== undefined) await joinWith(places, store, joined, token)
    else if (await holdsCluster(store))
      throw new SetupError(
        `this etcd holds a cluster "${places.name}" already, of another data directory; join it with --join and the token that "sampan status --join-token" prints on a server of it, begin another one with --name, or delete what is below /sampan/${places.name} in etcd`,
      )
  } finally {
    await store.close()
  }
}

/** A server that has joined may be started with its token again. */
function assertMember(places: ClusterPlaces, token: JoinToken | undefined): void {
  if (token === undefined) return
  if (sameToken(ownToken(places), token)) return
  throw new SetupError(
    `the data directory ${places.data} belongs to a cluster already; join another one with a --name and a --data-dir of their own`,
  )
}

const sameToken = (own: JoinToken | undefined, token: JoinToken): boolean =>
  own?.cluster === token.cluster && Buffer.from(own.secret).equals(token.secret)

async function joinWith(places: ClusterPlaces, store: Store, settings: StoreSettings, token: JoinToken): Promise<void> {
  const identity = await readIdentity(store, token)
  if (identity === undefined)
    throw new SetupError(
      `this etcd holds no cluster "${token.cluster}" to join; name the etcd that the cluster was started with`,
    )
  assertRangeFree(places, identity, token)
  const isNew = !existsSync(places.data)
  openDataDirectory(places)
  let facts: ClusterFacts | undefined
  try {
    facts = await takePlace(places, store, identity)
    saveIdentity(places, identity, token)
    rememberStore(places, settings)
    // Last, since a directory with facts is a server's.
    saveFacts(places, facts)
  } catch (error) {
    if (facts !== undefined) await freePlace(store, { nodeName: facts.nodeName, podCidr: facts.network.podCidr })
    rmSync(places.state, { recursive: true, force: true })
    for (const name of ['keys', 'store.json']) rmSync(join(places.data, name), { recursive: true, force: true })
    if (isNew) rmSync(places.data, { recursive: true, force: true })
    throw error
  }
}

/** Where another cluster has the same service addresses, traffic of both would mix. Servers of this cluster may stand beside each other. */
function assertRangeFree(places: ClusterPlaces, { network }: ClusterIdentity, token: JoinToken): void {
  const rival = otherClusters(places).find(
    ({ network: other, dataDirectory }) =>
      other.serviceCidr === network.serviceCidr && !sameToken(ownToken({ keys: join(dataDirectory, 'keys') }), token),
  )
  if (rival !== undefined)
    throw new SetupError(
      `the cluster "${rival.name}" on this machine gives its services addresses of ${network.serviceCidr}, as "${token.cluster}" does; end it first with: sampan down --name ${rival.name}, or join from another machine`,
    )
}

/** A range of pods and a name of its own for the node. */
async function takePlace(places: ClusterPlaces, store: Store, { network }: ClusterIdentity): Promise<ClusterFacts> {
  for (;;) {
    const podCidrs = await reservedRanges(store)
    const facts = await whileLocked('sampan address ranges', () => {
      const settled = newFacts(places, { network, podCidrs })
      announce(places, settled)
      return settled
    })
    const {
      nodeName,
      network: { podCidr },
    } = facts
    if (!(await reserveRange(store, podCidr, nodeName))) continue
    if (await reserveName(store, nodeName, podCidr)) return facts
    // Another machine, or another server of this one, is called the same.
    const other = `${nodeName}-${podCidr.split('.')[1]}`
    if (await reserveName(store, other, podCidr)) return { ...facts, nodeName: other }
  }
}
