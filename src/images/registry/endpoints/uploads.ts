// Uploads of blobs: end-4a, 4b, 5, 6, 11, 13 and 14 of the OCI distribution specification.
import { assertMay } from '../access.ts'
import { sendEmpty } from '../answer.ts'
import { chunkRange } from '../byte-range.ts'
import { isContentDigest } from '../digest.ts'
import type { Exchange } from '../exchange.ts'
import { badDigest, RegistryError, unsupported } from '../registry-error.ts'
import { isFull, isMissing } from '../storage/durable-file.ts'
import type { Upload } from '../storage/uploads.ts'
import { isRepository } from '../../image-reference.ts'

/** POST: an upload begins, or all of it comes at once, or nothing has to come because the blob is elsewhere. */
export async function startUpload(exchange: Exchange, repository: string): Promise<void> {
  const { request, response, query, caller, store } = exchange
  if (request.method !== 'POST') throw unsupported(request.method, 'uploads')
  await assertMay(caller, 'push', repository)
  const mounted = query.get('mount')
  if (mounted !== null && (await mount(exchange, repository, mounted)))
    return sendBlobCreated(exchange, repository, mounted)
  const digest = query.get('digest')
  if (digest === null) {
    const upload = await store.uploads.start(repository)
    return sendEmpty(response, 202, stateOf(upload))
  }
  if (!isContentDigest(digest)) throw badDigest(digest)
  const upload = await store.uploads.start(repository)
  try {
    await upload.exclusively(() => upload.append(request, lengthOf(exchange)))
  } catch (error) {
    // Its name was told to nobody, so nobody can go on with it.
    await store.uploads.abandon(upload)
    throw error
  }
  return finish(exchange, upload, digest)
}

/** Only from where the caller may read. @returns false when it has to be uploaded */
async function mount({ query, caller, store }: Exchange, repository: string, digest: string): Promise<boolean> {
  if (!isContentDigest(digest)) return false
  return store.uses.while([digest], async () => {
    if ((await store.blobs.size(digest)) === undefined) return false
    const from = query.get('from')
    const candidates = from === null ? await store.repositories.repositoriesWith(digest) : [from]
    for (const candidate of candidates) {
      if (!isRepository(candidate) || !(await store.repositories.hasBlob(candidate, digest))) continue
      if (candidate !== repository && !(await caller.may('pull', candidate))) continue
      store.blobs.touch(digest)
      await store.repositories.link(repository, digest)
      return true
    }
    return false
  })
}

export async function serveUpload(exchange: Exchange, repository: string, id: string): Promise<void> {
  const { request, response, query, caller, store } = exchange
  await assertMay(caller, 'push', repository)
  const upload = await store.uploads.find(repository, id)
  if (upload === undefined) throw unknownUpload()
  switch (request.method) {
    case 'GET':
      return sendEmpty(response, 204, stateOf(upload))
    case 'PATCH':
      await exclusively(exchange, upload, () => appendChunk(exchange, upload))
      return sendEmpty(response, 202, stateOf(upload))
    case 'PUT': {
      const digest = query.get('digest') ?? ''
      if (!isContentDigest(digest)) throw badDigest(digest)
      return exclusively(exchange, upload, async () => {
        await appendChunk(exchange, upload)
        await finish(exchange, upload, digest)
      })
    }
    case 'DELETE':
      await exclusively(exchange, upload, () => store.uploads.abandon(upload))
      return sendEmpty(response, 204)
    default:
      throw unsupported(request.method, 'uploads')
  }
}

const unknownUpload = (): RegistryError =>
  new RegistryError(404, 'BLOB_UPLOAD_UNKNOWN', 'there is no such upload; start it again')

/** Another request may have ended it while this one waited for its turn. */
const exclusively = ({ store }: Exchange, upload: Upload, work: () => Promise<void>): Promise<void> =>
  upload.exclusively(async () => {
    if ((await store.uploads.find(upload.repository, upload.id)) !== upload) throw unknownUpload()
    try {
      return await work()
    } catch (error) {
      // Given up by a collection meanwhile.
      throw isMissing(error) ? unknownUpload() : error
    }
  })

/** Chunks come in order, each where the last one ended. */
async function appendChunk(exchange: Exchange, upload: Upload): Promise<void> {
  const { request, store } = exchange
  const range = chunkRange(request.headers['content-range'])
  if (range === null || (range !== undefined && range.start !== upload.size))
    throw new RegistryError(
      416,
      'BLOB_UPLOAD_INVALID',
      `the next chunk starts at byte ${upload.size}, not at "${request.headers['content-range']}"`,
      stateOf(upload),
    )
  const length = range === undefined ? undefined : range.end - range.start + 1
  const said = lengthOf(exchange)
  if (length !== undefined && said !== undefined && length !== said)
    throw new RegistryError(
      400,
      'SIZE_INVALID',
      `the chunk is said to have ${length} bytes in Content-Range, and ${said} in Content-Length`,
    )
  try {
    await upload.append(request, length ?? said)
  } catch (error) {
    // Half an upload would keep the disk full.
    if (isFull(error)) await store.uploads.abandon(upload)
    throw error
  }
}

function lengthOf({ request }: Exchange): number | undefined {
  const length = request.headers['content-length']
  return length === undefined ? undefined : Number(length)
}

async function finish(exchange: Exchange, upload: Upload, digest: string): Promise<void> {
  const { store } = exchange
  await store.uses.while([digest], async () => {
    try {
      await store.uploads.finish(upload, digest)
      await store.repositories.link(upload.repository, digest)
    } catch (error) {
      if (isFull(error)) await store.uploads.abandon(upload)
      throw error
    }
  })
  sendBlobCreated(exchange, upload.repository, digest)
}

/** A last byte of -1 cannot be said: an upload with nothing in it looks as docker's registry has it. */
const stateOf = ({ id, repository, size }: Upload): Record<string, string> => ({
  Location: `/v2/${repository}/blobs/uploads/${id}`,
  Range: `0-${Math.max(0, size - 1)}`,
  'Docker-Upload-UUID': id,
})

const sendBlobCreated = ({ response }: Exchange, repository: string, digest: string): void =>
  sendEmpty(response, 201, { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest })
