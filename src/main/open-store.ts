// The store of a cluster: SQLite in the data directory, Secrets in it encrypted.
import { EncryptedStore } from '../store/encrypted-store.ts'
import { SqliteStore } from '../store/sqlite-store.ts'
import type { Store } from '../store/store.ts'
import type { ClusterPlaces } from './data-directory.ts'
import { encryptionKeys } from './encryption-keys.ts'

/** Store keys of the kinds whose objects are encrypted at rest. */
const encryptedPrefixes = ['/registry/core/secrets/']

/** @throws StoreFailure, SetupError */
export async function openStore(places: ClusterPlaces): Promise<Store> {
  const store = new EncryptedStore(await SqliteStore.open(places.database), { keys: encryptionKeys(places), prefixes: encryptedPrefixes })
  await store.encryptAll()
  return store
}
