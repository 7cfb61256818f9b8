// What was pushed about a manifest: end-12a and 12b of the OCI distribution specification. Also of a manifest, or a
// repository, that is not here: they may be pushed later.
import { assertMay } from '../access.ts'
import { sendJson } from '../answer.ts'
import type { Exchange } from '../exchange.ts'
import { anyDigestPattern, descriptorOf } from '../manifest.ts'
import { indexType } from '../../media-types.ts'
import { badDigest } from '../registry-error.ts'
import { assertReading } from './tags.ts'

export async function serveReferrers(exchange: Exchange, repository: string, subject: string): Promise<void> {
  const { response, query, caller, store } = exchange
  assertReading(exchange, 'referrers')
  await assertMay(caller, 'pull', repository)
  if (!anyDigestPattern.test(subject)) throw badDigest(subject)
  const all = (await store.repositories.referrers(repository, subject)).map(descriptorOf)
  const type = query.get('artifactType') ?? ''
  const manifests = type === '' ? all : all.filter(({ artifactType }) => artifactType === type)
  sendJson(
    response,
    200,
    { schemaVersion: 2, mediaType: indexType, manifests },
    { 'Content-Type': indexType, ...(type !== '' && { 'OCI-Filters-Applied': 'artifactType' }) },
  )
}
