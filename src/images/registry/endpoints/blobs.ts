// Blobs: end-2 and end-10 of the OCI distribution specification.
import type { ServerResponse } from 'node:http'
import { assertMay } from '../access.ts'
import { sendEmpty } from '../answer.ts'
import { byteRange } from '../byte-range.ts'
import { isContentDigest } from '../digest.ts'
import type { Exchange } from '../exchange.ts'
import { badDigest, RegistryError, unsupported } from '../registry-error.ts'
import { sendFile } from '../send-file.ts'
import type { BlobStore } from '../storage/blob-store.ts'

export async function serveBlob(exchange: Exchange, repository: string, digest: string): Promise<void> {
  const { request, response, caller, store } = exchange
  switch (request.method) {
    case 'GET':
    case 'HEAD': {
      await assertMay(caller, 'pull', repository)
      if (!isContentDigest(digest)) throw badDigest(digest)
      const size = (await store.repositories.hasBlob(repository, digest)) ? await store.blobs.size(digest) : undefined
      if (size === undefined) throw unknownBlob(repository, digest)
      store.blobs.touch(digest)
      return sendBlob(exchange, store.blobs, digest, size)
    }
    case 'DELETE':
      await assertMay(caller, 'delete', repository)
      if (!isContentDigest(digest)) throw badDigest(digest)
      // The content goes with the next collection, unless another repository has it too.
      if (!(await store.repositories.oneAtATime(repository, () => store.repositories.unlink(repository, digest))))
        throw unknownBlob(repository, digest)
      return sendEmpty(response, 202)
    default:
      throw unsupported(request.method, 'blobs')
  }
}

const unknownBlob = (repository: string, digest: string): RegistryError =>
  new RegistryError(404, 'BLOB_UNKNOWN', `there is no blob ${digest} in the repository ${repository}`)

/** What has this digest never changes. */
const headersOf = (digest: string): Record<string, string> => ({
  'Docker-Content-Digest': digest,
  Etag: `"${digest}"`,
  'Accept-Ranges': 'bytes',
  'Cache-Control': 'max-age=31536000',
})

export async function sendBlob(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  blobs: BlobStore,
  digest: string,
  size: number,
): Promise<void> {
  if (isKnownToCaller(request.headers['if-none-match'], digest)) return sendNotModified(response, digest)
  const range = byteRange(request.headers.range, size)
  if (range === null)
    throw new RegistryError(416, 'SIZE_INVALID', `the blob has ${size} bytes`, { 'Content-Range': `bytes */${size}` })
  response.writeHead(range === undefined ? 200 : 206, {
    'Content-Type': 'application/octet-stream',
    ...headersOf(digest),
    'Content-Length': range === undefined ? size : range.end - range.start + 1,
    ...(range !== undefined && { 'Content-Range': `bytes ${range.start}-${range.end}/${size}` }),
  })
  if (request.method === 'HEAD' || size === 0) response.end()
  else await sendFile(response, blobs.fileOf(digest), range?.start ?? 0, (range?.end ?? size - 1) + 1)
}

export const isKnownToCaller = (header: string | undefined, digest: string): boolean =>
  header?.split(',').some(tag => tag.trim().replace(/^W\//, '') === `"${digest}"`) ?? false

export function sendNotModified(response: ServerResponse, digest: string): void {
  response.writeHead(304, { 'Docker-Content-Digest': digest, Etag: `"${digest}"` }).end()
}
