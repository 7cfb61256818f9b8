// Manifests: end-3, 7 and 9 of the OCI distribution specification. One is accepted only when everything that it names is
// in its repository, so that what can be pulled is whole.
import { assertMay } from '../access.ts'
import { sendEmpty } from '../answer.ts'
import { algorithmOf, digestOf, isContentDigest } from '../digest.ts'
import type { Exchange } from '../exchange.ts'
import { tagPattern } from '../../image-reference.ts'
import { checkedSubject, mediaTypeOf, namedBy, parseManifest, type Manifest, type ParsedManifest } from '../manifest.ts'
import { badDigest, RegistryError, unsupported } from '../registry-error.ts'
import { DigestMismatch } from '../storage/blob-store.ts'
import { isKnownToCaller, sendNotModified } from './blobs.ts'
import { assertKnown } from './tags.ts'

/** The least that the specification has registries take. */
const limitBytes = 4 * 1024 * 1024

export async function serveManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { request, caller } = exchange
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      await assertMay(caller, 'pull', repository)
      await assertKnown(exchange, repository)
      assertReference(reference)
      return getManifest(exchange, repository, reference)
    case 'PUT':
      await assertMay(caller, 'push', repository)
      assertReference(reference)
      return putManifest(exchange, repository, reference)
    case 'DELETE':
      await assertMay(caller, 'delete', repository)
      await assertKnown(exchange, repository)
      assertReference(reference)
      return deleteManifest(exchange, repository, reference)
    default:
      throw unsupported(request.method, 'manifests')
  }
}

function assertReference(reference: string): void {
  if (isContentDigest(reference) || tagPattern.test(reference)) return
  if (reference.includes(':')) throw badDigest(reference)
  throw new RegistryError(
    400,
    'MANIFEST_INVALID',
    `"${reference.slice(0, 200)}" is no tag: expected 128 letters, digits, ".", "_" and "-" at most`,
  )
}

const nameOf = (repository: string, reference: string): string =>
  `${repository}${isContentDigest(reference) ? '@' : ':'}${reference}`

const unknownManifest = (repository: string, reference: string): RegistryError =>
  new RegistryError(
    404,
    'MANIFEST_UNKNOWN',
    `there is no image ${nameOf(repository, reference)} in this registry; push it, or build it with \`sampan build\``,
  )

async function getManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { store } = exchange
  const manifest = await store.repositories.manifest(repository, reference)
  if (manifest === undefined) throw unknownManifest(repository, reference)
  store.blobs.touch(manifest.digest)
  sendManifest(exchange, manifest)
}

export function sendManifest(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  { digest, mediaType, content }: Manifest,
): void {
  if (isKnownToCaller(request.headers['if-none-match'], digest)) return sendNotModified(response, digest)
  response.writeHead(200, {
    'Content-Type': mediaType,
    'Content-Length': content.length,
    'Docker-Content-Digest': digest,
    Etag: `"${digest}"`,
  })
  response.end(request.method === 'HEAD' ? undefined : content)
}

async function putManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { request, response, query, store } = exchange
  const { repositories, uses } = store
  const content = await bodyOf(exchange)
  const digest = digestOf(content, algorithmOf(reference))
  if (isContentDigest(reference) && reference !== digest) throw new DigestMismatch(reference, digest)
  const parsed = parseManifest(content)
  const mediaType = mediaTypeOf(parsed, request.headers['content-type'])
  const subject = checkedSubject(parsed)
  const named = namedBy(parsed)
  const tags = isContentDigest(reference) ? query.getAll('tag') : [reference]
  for (const tag of tags) assertReference(tag)
  await uses.while([digest, ...named.blobs, ...named.manifests], () =>
    repositories.oneAtATime(repository, async () => {
      await assertComplete(exchange, repository, parsed)
      await repositories.putManifest(repository, { digest, mediaType, content })
      for (const tag of tags) await repositories.putTag(repository, tag, digest)
    }),
  )
  sendEmpty(response, 201, {
    Location: `/v2/${repository}/manifests/${digest}`,
    'Docker-Content-Digest': digest,
    ...(subject !== undefined && { 'OCI-Subject': subject }),
    ...(isContentDigest(reference) && tags.length > 0 && { 'OCI-Tag': tags.join(', ') }),
  })
}

async function bodyOf({ request }: Exchange): Promise<Buffer> {
  const tooLarge = (): RegistryError =>
    new RegistryError(413, 'SIZE_INVALID', `a manifest may have ${limitBytes} bytes at most`)
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length
    if (size > limitBytes) throw tooLarge()
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

async function assertComplete({ store }: Exchange, repository: string, manifest: ParsedManifest): Promise<void> {
  const { repositories, blobs } = store
  const named = namedBy(manifest)
  const hasBlob = async (digest: string): Promise<boolean> =>
    isContentDigest(digest) &&
    (await repositories.hasBlob(repository, digest)) &&
    (await blobs.size(digest)) !== undefined
  for (const digest of named.blobs) if (!(await hasBlob(digest))) throw incomplete(repository, digest)
  // Caches of builds are indexes of blobs.
  for (const digest of named.manifests)
    if (!isContentDigest(digest) || !((await repositories.hasManifest(repository, digest)) || (await hasBlob(digest))))
      throw incomplete(repository, digest)
}

const incomplete = (repository: string, digest: string): RegistryError =>
  new RegistryError(
    404,
    'MANIFEST_BLOB_UNKNOWN',
    `the manifest names ${digest.slice(0, 200)}, which was not pushed to ${repository}`,
  )

async function deleteManifest(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { response, store } = exchange
  const { repositories } = store
  const removed = await repositories.oneAtATime(repository, () =>
    isContentDigest(reference)
      ? repositories.removeManifest(repository, reference)
      : repositories.removeTag(repository, reference),
  )
  if (!removed) throw unknownManifest(repository, reference)
  sendEmpty(response, 202)
}
