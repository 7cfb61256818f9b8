// What was pushed about a manifest: end-12a and 12b of the OCI distribution specification. Also of a manifest, or a
// repository, that is not here: they may be pushed later. Many of them come in pages.
import { assertMay } from '../access.ts'
import { sendJson } from '../answer.ts'
import type { Exchange } from '../exchange.ts'
import { anyDigestPattern, descriptorOf } from '../manifest.ts'
import type { Descriptor } from '../../descriptor.ts'
import { indexType } from '../../media-types.ts'
import { badDigest } from '../registry-error.ts'
import { assertReading, pageFor } from './tags.ts'

/** What clients read at once, as they do with other indexes. */
const pageBytes = 4_000_000

export async function serveReferrers(exchange: Exchange, repository: string, subject: string): Promise<void> {
  const { response, query, caller, store } = exchange
  assertReading(exchange, 'referrers')
  await assertMay(caller, 'pull', repository)
  if (!anyDigestPattern.test(subject)) throw badDigest(subject)
  const all = (await store.repositories.referrers(repository, subject)).map(descriptorOf)
  const type = query.get('artifactType') ?? ''
  const wanted = type === '' ? all : all.filter(({ artifactType }) => artifactType === type)
  const manifests = pageOfDescriptors(exchange, wanted)
  sendJson(
    response,
    200,
    { schemaVersion: 2, mediaType: indexType, manifests },
    { 'Content-Type': indexType, ...(type !== '' && { 'OCI-Filters-Applied': 'artifactType' }) },
  )
}

/** As many as were asked for and fit; a header says where the next ones are. */
function pageOfDescriptors(exchange: Exchange, all: readonly Descriptor[]): readonly Descriptor[] {
  const { response, path, query } = exchange
  const known = new Map(all.map(descriptor => [descriptor.digest, descriptor]))
  const asked = pageFor(exchange, [...known.keys()]).map(digest => known.get(digest)!)
  let bytes = 0
  const fitting = asked.findIndex(descriptor => (bytes += Buffer.byteLength(JSON.stringify(descriptor))) > pageBytes)
  if (fitting === -1) return asked
  // One that is too large alone comes alone.
  const page = asked.slice(0, Math.max(1, fitting))
  const next = new URLSearchParams(query)
  next.set('last', page.at(-1)!.digest)
  if (page.length < all.length) response.setHeader('Link', `<${path}?${next}>; rel="next"`)
  return page
}
