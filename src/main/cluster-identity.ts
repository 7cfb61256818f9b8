// What makes several servers one cluster: its authorities, the keys that sign tokens and encrypt Secrets,
// the range of service addresses and the DNS domain. The first server puts it into the store that they
// share, encrypted with the key in a token; who has the token can read it and become one of them.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ClusterNetwork } from '../api/cluster.ts'
import type { Store } from '../store/store.ts'
import { SetupError, type ClusterFacts, type ClusterPlaces } from './data-directory.ts'
import { keysFile } from './encryption-keys.ts'
import { claimPlace } from './reserved-places.ts'

export interface ClusterIdentity {
  readonly format: 1
  readonly network: SharedNetwork
  /** By their names in the folder of keys. */
  readonly files: Readonly<Record<string, string>>
}

export type SharedNetwork = Pick<ClusterNetwork, 'serviceCidr' | 'dnsAddress' | 'domain'>

export interface JoinToken {
  /** The cluster's name in the store. */
  readonly cluster: string
  /** 32 bytes. */
  readonly secret: Uint8Array
}

type KeyPlaces = Pick<ClusterPlaces, 'keys'>

export const identityKey = '/identity'
const sharedFiles = ['ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'tokens.key', keysFile]
const cipher = 'aes-256-gcm'
const marker = Buffer.from('sampan:identity:1:')
const nonceBytes = 12
const tagBytes = 16

const tokenFile = ({ keys }: KeyPlaces): string => join(keys, 'join-token')
const formatToken = ({ cluster, secret }: JoinToken): string =>
  `sampan-join.${cluster}.${Buffer.from(secret).toString('base64url')}`

/** @throws SetupError */
export function parseToken(text: string): JoinToken {
  const [, cluster, secret] = /^sampan-join\.([-a-z0-9]{1,32})\.([\w-]{43})$/.exec(text.trim()) ?? []
  if (cluster === undefined || secret === undefined)
    throw new SetupError(
      'expected the token that "sampan status --join-token" prints on a server of the cluster (sampan-join.NAME.SECRET), found something else',
    )
  return { cluster, secret: Buffer.from(secret, 'base64url') }
}

/** undefined: this server has never shared its store. */
export function ownToken(places: KeyPlaces): JoinToken | undefined {
  let text: string
  try {
    text = readFileSync(tokenFile(places), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SetupError(`${tokenFile(places)} cannot be read: ${(error as Error).message}`)
  }
  return parseToken(text)
}

/** For people to carry to the next server. */
export function ownTokenText(places: KeyPlaces): string | undefined {
  const token = ownToken(places)
  return token && formatToken(token)
}

/** @throws SetupError when it was encrypted with another token */
export async function readIdentity(store: Store, { cluster, secret }: JoinToken): Promise<ClusterIdentity | undefined> {
  const entry = await store.get(identityKey)
  return entry && openIdentity(entry.value, { cluster, secret })
}

/** @throws SetupError when it was encrypted with another token */
export function openIdentity(bytes: Uint8Array, { cluster, secret }: JoinToken): ClusterIdentity {
  const value = Buffer.from(bytes)
  try {
    const opening = createDecipheriv(cipher, secret, value.subarray(marker.length, marker.length + nonceBytes))
      .setAAD(marker)
      .setAuthTag(value.subarray(-tagBytes))
    return JSON.parse(
      Buffer.concat([
        opening.update(value.subarray(marker.length + nonceBytes, -tagBytes)),
        opening.final(),
      ]).toString(),
    ) as ClusterIdentity
  } catch {
    throw new SetupError(
      `the token does not fit the cluster "${cluster}" in this etcd, which is another one; print the right token with "sampan status --join-token" on a server of the cluster`,
    )
  }
}

/** Whether there is a cluster in the store already. */
export async function holdsCluster(store: Store): Promise<boolean> {
  return (
    (await store.get(identityKey)) !== undefined || (await store.range('/registry/', { limit: 1 })).entries.length > 0
  )
}

/**
 * Puts into the store what other servers need to join, and which range of pods this one has. Meant for
 * each start, before anything else is written.
 * @throws SetupError when the store belongs to another cluster
 */
export async function publishIdentity(
  store: Store,
  places: KeyPlaces & Pick<ClusterPlaces, 'name'>,
  { network, nodeName }: ClusterFacts,
): Promise<void> {
  const token = ownToken(places) ?? { cluster: places.name, secret: randomBytes(32) }
  const own: ClusterIdentity = {
    format: 1,
    network: { serviceCidr: network.serviceCidr, dnsAddress: network.dnsAddress, domain: network.domain },
    files: Object.fromEntries(sharedFiles.map(name => [name, readFileSync(join(places.keys, name), 'utf8')])),
  }
  const entry = await store.get(identityKey)
  const stored = entry === undefined ? undefined : openIdentity(entry.value, token)
  // The encryption keys of an identity that is there have been brought together already.
  const wanted =
    stored === undefined
      ? own
      : { ...own, files: { ...own.files, [keysFile]: stored.files[keysFile] ?? own.files[keysFile]! } }
  if (JSON.stringify(stored) !== JSON.stringify(wanted)) {
    // Two that start for the first time at the same moment are two clusters.
    if (!(await store.put(identityKey, sealIdentity(wanted, token), entry?.revision ?? 0)).ok)
      throw new SetupError(
        `another server began the cluster "${token.cluster}" in this etcd at the same moment; join it with --join`,
      )
  }
  saveToken(places, token)
  await claimPlace(store, { nodeName, podCidr: network.podCidr })
}

export function sealIdentity(identity: ClusterIdentity, { secret }: JoinToken): Buffer {
  const nonce = randomBytes(nonceBytes)
  const sealing = createCipheriv(cipher, secret, nonce).setAAD(marker)
  return Buffer.concat([marker, nonce, sealing.update(JSON.stringify(identity)), sealing.final(), sealing.getAuthTag()])
}

function saveToken(places: KeyPlaces, token: JoinToken): void {
  const text = `${formatToken(token)}\n`
  mkdirSync(places.keys, { recursive: true, mode: 0o700 })
  writeFileSync(`${tokenFile(places)}.new`, text, { mode: 0o600, flush: true })
  renameSync(`${tokenFile(places)}.new`, tokenFile(places))
}

/** Makes this server's folder of keys that of a server of the cluster. */
export function saveIdentity(places: KeyPlaces, { files }: ClusterIdentity, token: JoinToken): void {
  mkdirSync(places.keys, { recursive: true, mode: 0o700 })
  for (const name of sharedFiles) {
    const content = files[name]
    if (content === undefined)
      throw new SetupError(
        `the cluster "${token.cluster}" in this etcd has no ${name}; start its first server again with this version of Sampan, then join it`,
      )
    writeFileSync(join(places.keys, name), content, { mode: 0o600, flush: true })
  }
  saveToken(places, token)
}
