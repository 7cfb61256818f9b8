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
}

export async function openStore(directory: string, clock: Clock): Promise<RegistryStore> {
  const uses = new Uses(clock)
  const blobs = new BlobStore(directory, uses)
  const store = {
    uses,
    blobs,
    uploads: new Uploads(directory, blobs),
    repositories: new Repositories(directory, blobs),
  }
  await blobs.prepare()
  await removeHalfWritten(`${directory}/blobs`)
  await Promise.all([store.uploads.prepare(), store.repositories.prepare()])
  return store
}
