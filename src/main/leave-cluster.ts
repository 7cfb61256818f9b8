// What a server that is purged leaves behind in the etcd that it shared with others.
import type { Clock } from '../lib/clock.ts'
import { StoreFailure } from '../store/store.ts'
import { SetupError, type ClusterFacts, type ClusterPlaces } from './data-directory.ts'
import { openSharedStore, rememberedStore } from './open-store.ts'
import { countPlaces, leavePlace } from './reserved-places.ts'

/** It stays reserved otherwise, which can be put right later: not worth a longer wait. */
const patienceMs = 3_000

/** Meant for after the server has stopped. @param waiting is told what for. @returns what stays there and how to take it away; undefined: nothing worth a word */
export async function leaveCluster(
  places: ClusterPlaces,
  { nodeName, network: { podCidr } }: ClusterFacts,
  clock: Clock,
  waiting: (text: string) => void,
): Promise<string | undefined> {
  try {
    const settings = rememberedStore(places)
    if (settings === undefined || settings.store === 'sqlite') return undefined
    waiting(`giving back the place of node "${nodeName}" in ${settings.store.replace('=', ' at ')}`)
    const store = await openSharedStore(places, settings, clock, patienceMs)
    try {
      await leavePlace(store, { nodeName, podCidr })
      if ((await countPlaces(store)) > 0) return undefined
      const root = `/sampan/${settings.cluster ?? places.name}/`
      return `it was the last server of its cluster, whose objects stay in etcd; delete them with: etcdctl del --prefix ${root}`
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof StoreFailure) && !(error instanceof SetupError)) throw error
    return `its node "${nodeName}" and the range ${podCidr} stay reserved in etcd (${error.message}); free them on another server of the cluster with: kubectl delete node ${nodeName}`
  }
}
