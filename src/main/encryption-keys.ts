// The keys that Secrets are encrypted with at rest: made at the first start, kept in one file that only
// its owner can read. A new key is added in front; the ones behind it stay for what they encrypted.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EncryptionKey } from '../store/encrypted-store.ts'
import { SetupError, type ClusterPlaces } from './data-directory.ts'

interface KeyFile {
  readonly keys: readonly { readonly id: string; readonly secret: string }[]
}

/** Newest first. @throws SetupError */
export function encryptionKeys({ keys: directory }: Pick<ClusterPlaces, 'keys'>): EncryptionKey[] {
  const file = join(directory, 'encryption.json')
  const { keys } = read(file) ?? make(directory, file)
  return keys.map(({ id, secret }) => ({ id, secret: Buffer.from(secret, 'base64') }))
}

function read(file: string): KeyFile | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SetupError(`${file} cannot be read: ${(error as Error).message}`)
  }
  try {
    const content = JSON.parse(text) as KeyFile
    if (content.keys.length > 0 && content.keys.every(({ id, secret }) => /^\w+$/.test(id) && Buffer.from(secret, 'base64').length === 32)) return content
  } catch {
    // No JSON, or of another shape: damaged.
  }
  throw new SetupError(`${file} is damaged: expected keys of 32 bytes in base64, each with an id; restore it from a backup, since Secrets cannot be read without it`)
}

function make(directory: string, file: string): KeyFile {
  const content: KeyFile = { keys: [{ id: '1', secret: randomBytes(32).toString('base64') }] }
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
  return content
}
