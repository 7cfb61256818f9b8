// The keys that Secrets are encrypted with at rest: made at the first start, kept in one file that only
// its owner can read. A new key is added in front; the ones behind it stay for what they encrypted.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EncryptionKey } from '../store/encrypted-store.ts'
import { SetupError, type ClusterPlaces } from './data-directory.ts'

type KeyPlaces = Pick<ClusterPlaces, 'keys'>

/** In the folder of keys. */
export const keysFile = 'encryption.json'

interface KeyFile {
  readonly keys: readonly { readonly id: string; readonly secret: string }[]
}

/** Newest first. @throws SetupError */
export function encryptionKeys(places: KeyPlaces): EncryptionKey[] {
  const known = knownKeys(places)
  if (known !== undefined) return known
  const made = [{ id: '1', secret: randomBytes(32) }]
  saveKeys(places, made)
  return made
}

/** undefined: there are none yet. @throws SetupError */
export function knownKeys(places: KeyPlaces): EncryptionKey[] | undefined {
  const file = fileOf(places)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SetupError(`${file} cannot be read: ${(error as Error).message}`)
  }
  return parseKeys(text, file)
}

/** @param source is named when the text is damaged. @throws SetupError */
export function parseKeys(text: string, source: string): EncryptionKey[] {
  try {
    const { keys } = JSON.parse(text) as KeyFile
    const parsed = keys.map(({ id, secret }) => ({ id, secret: Buffer.from(secret, 'base64') }))
    if (parsed.length > 0 && parsed.every(({ id, secret }) => /^\w+$/.test(id) && secret.length === 32)) return parsed
  } catch {
    // No JSON, or of another shape: damaged.
  }
  throw new SetupError(
    `${source} is damaged: expected keys of 32 bytes in base64, each with an id; restore it from a backup, since Secrets cannot be read without it`,
  )
}

export function formatKeys(keys: readonly EncryptionKey[]): string {
  const content: KeyFile = {
    keys: keys.map(({ id, secret }) => ({ id, secret: Buffer.from(secret).toString('base64') })),
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

export function saveKeys(places: KeyPlaces, keys: readonly EncryptionKey[]): void {
  const file = fileOf(places)
  mkdirSync(places.keys, { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, formatKeys(keys), { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}

const fileOf = ({ keys }: KeyPlaces): string => join(keys, keysFile)
