// Encryption keys of servers that share a store: a key that one of them brings along is put into the
// cluster's identity before anything is encrypted with it, and the others take it from there. The store
// tells events in order, so a key is known wherever a value comes that needs it.
import type { EncryptionKey } from '../store/encrypted-store.ts'
import type { Entry, Store } from '../store/store.ts'
import { identityKey, openIdentity, ownToken, sealIdentity, type JoinToken } from './cluster-identity.ts'
import { SetupError, type ClusterPlaces } from './data-directory.ts'
import { encryptionKeys, formatKeys, keysFile, knownKeys, parseKeys, saveKeys } from './encryption-keys.ts'

type KeyPlaces = Pick<ClusterPlaces, 'keys'>

/**
 * Brings the keys of this server's file and those of the cluster together, in both places.
 * @returns newest first; those that only this server had are the newest. @throws SetupError
 */
export async function shareKeys(store: Store, places: KeyPlaces): Promise<EncryptionKey[]> {
  const token = ownToken(places)
  let entry = token && (await store.get(identityKey))
  while (token !== undefined && entry !== undefined) {
    // A file that was lost comes back.
    const own = knownKeys(places) ?? []
    const stored = keysIn(entry, token)
    const merged = merge(own, stored)
    const result = isSame(merged, stored)
      ? undefined
      : await store.put(identityKey, withKeys(entry, token, merged), entry.revision)
    if (result?.ok === false) {
      // Another server was faster.
      entry = result.current
      continue
    }
    if (!isSame(merged, own)) saveKeys(places, merged)
    return merged
  }
  // Nobody to share with yet.
  return encryptionKeys(places)
}

/**
 * Calls `use` with all keys whenever another server has brought one.
 * @returns those of now, newest first. @throws SetupError
 */
export async function followKeys(
  store: Store,
  places: KeyPlaces,
  use: (merged: readonly EncryptionKey[]) => void,
): Promise<EncryptionKey[]> {
  let known = knownKeys(places) ?? []
  function learn(entry: Entry, token: JoinToken): void {
    const merged = merge(known, keysIn(entry, token))
    if (isSame(merged, known)) return
    known = merged
    use(merged)
    saveKeys(places, merged)
  }
  await store.watch(identityKey, 0, events => {
    const token = ownToken(places)
    const last = events.at(-1)
    // Without a token it is this server that makes the identity just now.
    if (token === undefined || last?.type !== 'put') return
    try {
      learn(last.entry, token)
    } catch {
      // A watch must not fail. Whoever reads what needs the key reads the identity again and is told why.
    }
  })
  // Read after the watch began, so that none is missed.
  const shared = await shareKeys(store, places)
  known = merge(known, shared)
  if (!isSame(known, shared)) saveKeys(places, known)
  return known
}

const keysIn = ({ value }: Entry, token: JoinToken): EncryptionKey[] =>
  parseKeys(openIdentity(value, token).files[keysFile] ?? '', 'the key file of the cluster in etcd')

function withKeys({ value }: Entry, token: JoinToken, keys: readonly EncryptionKey[]): Buffer {
  const identity = openIdentity(value, token)
  return sealIdentity({ ...identity, files: { ...identity.files, [keysFile]: formatKeys(keys) } }, token)
}

function merge(own: readonly EncryptionKey[], stored: readonly EncryptionKey[]): EncryptionKey[] {
  for (const { id, secret } of own) {
    const other = stored.find(key => key.id === id)
    if (other !== undefined && !Buffer.from(other.secret).equals(secret))
      throw new SetupError(
        `${keysFile} has a key "${id}" that is another one in the cluster, as when two servers got a new key under the same id; give the new one an id of its own`,
      )
  }
  return [...own.filter(({ id }) => !stored.some(key => key.id === id)), ...stored]
}

const isSame = (left: readonly EncryptionKey[], right: readonly EncryptionKey[]): boolean =>
  formatKeys(left) === formatKeys(right)
