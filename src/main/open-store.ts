// The store of a cluster: SQLite in the data directory, or etcd; Secrets in it encrypted. Which one it is
// gets settled at the first start and is remembered, since its objects are there.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { EncryptedStore } from '../store/encrypted-store.ts'
import { SqliteStore } from '../store/sqlite-store.ts'
import type { Store } from '../store/store.ts'
import { SetupError, type ClusterPlaces } from './data-directory.ts'
import { encryptionKeys } from './encryption-keys.ts'
import { followKeys, shareKeys } from './shared-keys.ts'

export interface StoreSettings {
  /** `sqlite`, or `etcd=` with endpoints separated by commas. */
  readonly store: string
  /** Files in PEM, for etcd over https. */
  readonly authority?: string
  readonly certificate?: string
  readonly key?: string
  /** Under whose name the objects are in etcd; that of the first server, when this one joined it. */
  readonly cluster?: string
}

/** Store keys of the kinds whose objects are encrypted at rest. */
const encryptedPrefixes = ['/registry/core/secrets/']

/** @throws StoreFailure, SetupError */
export async function openStore(places: ClusterPlaces, asked: StoreSettings | undefined, clock: Clock): Promise<Store> {
  const settings = settle(places, asked)
  const isShared = settings.store !== 'sqlite'
  const inner = isShared ? await openSharedStore(places, settings, clock) : await SqliteStore.open(places.database)
  rememberStore(places, settings)
  const store = isShared
    ? await encryptShared(inner, places)
    : new EncryptedStore(inner, { keys: encryptionKeys(places), prefixes: encryptedPrefixes })
  await store.encryptAll()
  return store
}

/** With the keys of all servers, also with those that come later. @throws SetupError */
export async function encryptShared(inner: Store, places: Pick<ClusterPlaces, 'keys'>): Promise<EncryptedStore> {
  let store: EncryptedStore | undefined
  const keys = await followKeys(inner, places, merged => store?.useKeys(merged))
  store = new EncryptedStore(inner, { keys, prefixes: encryptedPrefixes, readKeys: () => shareKeys(inner, places) })
  return store
}

/** What the cluster of this data directory was started with; undefined before its first start. */
export function rememberedStore(places: Pick<ClusterPlaces, 'data' | 'database'>): StoreSettings | undefined {
  const file = settingsFile(places)
  if (!existsSync(file)) return existsSync(places.database) ? { store: 'sqlite' } : undefined
  try {
    const settings = JSON.parse(readFileSync(file, 'utf8')) as StoreSettings
    if (isStore(settings.store)) return settings
  } catch {
    // No JSON, or of another shape: damaged.
  }
  throw new SetupError(
    `${file} is damaged: expected the store in JSON, such as {"store":"sqlite"}; write it anew or restore it from a backup`,
  )
}

/** Whether other servers may work on the same objects. */
export const isSharedStore = (places: Pick<ClusterPlaces, 'data' | 'database'>): boolean =>
  (rememberedStore(places)?.store ?? 'sqlite') !== 'sqlite'

function settle(places: ClusterPlaces, asked: StoreSettings | undefined): StoreSettings {
  const remembered = rememberedStore(places)
  if (asked === undefined) return remembered ?? { store: 'sqlite' }
  if (!isStore(asked.store))
    throw new SetupError(
      `expected --store sqlite, or --store etcd=http://127.0.0.1:2379 with more endpoints after commas, found "${asked.store}"`,
    )
  if (remembered !== undefined && kindOf(remembered) !== kindOf(asked))
    throw new SetupError(
      `the cluster "${places.name}" keeps its objects in ${kindOf(remembered)}, not in ${kindOf(asked)}; leave --store out, or start another cluster with --name`,
    )
  return remembered?.cluster === undefined ? asked : { ...asked, cluster: remembered.cluster }
}

/** etcd as it is, without encryption. @param patienceMs how long one request may try to reach it. @throws StoreFailure, SetupError */
export async function openSharedStore(
  places: ClusterPlaces,
  settings: StoreSettings,
  clock: Clock,
  patienceMs?: number,
): Promise<Store> {
  const { EtcdStore } = await import('../store/etcd/etcd-store.ts')
  const tls = Object.fromEntries(
    (['authority', 'certificate', 'key'] as const).flatMap(name => {
      const file = settings[name]
      return file === undefined ? [] : [[name, readPem(file)]]
    }),
  )
  return EtcdStore.open({
    endpoints: settings.store.slice('etcd='.length).split(','),
    root: `/sampan/${settings.cluster ?? places.name}`,
    tls,
    clock,
    ...(patienceMs !== undefined && { patienceMs }),
  })
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new SetupError(`${file}, which etcd is to be reached with, cannot be read: ${(error as Error).message}`)
  }
}

export function rememberStore(places: ClusterPlaces, settings: StoreSettings): void {
  const file = settingsFile(places)
  writeFileSync(`${file}.new`, `${JSON.stringify(settings)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

const settingsFile = ({ data }: Pick<ClusterPlaces, 'data'>): string => join(data, 'store.json')
const kindOf = ({ store }: StoreSettings): string => (store === 'sqlite' ? 'SQLite' : 'etcd')
const isStore = (text: unknown): boolean => typeof text === 'string' && /^(sqlite|etcd=.+)$/.test(text)
