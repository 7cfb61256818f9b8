// What a registry keeps in its directory: blobs, uploads under way, and repositories that name them. One process works
// with a directory.
import type { Clock } from '../../lib/clock.ts'
import { BlobStore } from './storage/blob-store.ts'
import { removeHalfWritten } from './storage/durable-file.ts'
import { Repositories } from './storage/repositories.ts'
import { Uploads } from './storage/uploads.ts'
import { Uses } from './storage/uses.ts'

export interface RegistryStore {
  readonly uses: Uses
  readonly blobs: BlobStore
  readonly uploads: Uploads
  readonly repositories: Repositories
  /** What a killed process left half-written is gone; nobody has to wait for it. */
  readonly tidied: Promise<void>
}

export async function openStore(directory: string, clock: Clock): Promise<RegistryStore> {
  const uses = new Uses(clock)
  const blobs = new BlobStore(directory, uses)
  const uploads = new Uploads(directory, blobs)
  const repositories = new Repositories(directory, blobs)
  await blobs.prepare()
  await Promise.all([uploads.prepare(), repositories.prepare()])
  return { uses, blobs, uploads, repositories, tidied: removeHalfWritten(directory) }
}
