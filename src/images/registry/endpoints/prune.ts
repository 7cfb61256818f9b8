// `POST /v2/_sampan/prune`, of this registry alone: collects garbage now. With `?dryRun=true` it says what would go.
import { sendJson } from '../answer.ts'
import type { Collections } from '../collection/collections.ts'
import type { Exchange } from '../exchange.ts'
import { RegistryError, unsupported } from '../registry-error.ts'

export async function servePrune({ request, response, query }: Exchange, collections: Collections): Promise<void> {
  if (request.method !== 'POST') throw unsupported(request.method, 'prune')
  const dryRun = query.get('dryRun') ?? 'false'
  if (dryRun !== 'true' && dryRun !== 'false')
    throw new RegistryError(400, 'UNSUPPORTED', `expected dryRun=true or dryRun=false, found "${dryRun}"`)
  sendJson(response, 200, await collections.prune(dryRun === 'true'))
}
