// Every combination of the parameters that page and date a list, and what Kubernetes makes of it.
// Source: kubernetes test/integration/apiserver (TestListOptions).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'

const path = '/api/v1/namespaces/listed/configmaps'
const store = new MemoryStore()
let server: TestServer
let compacted = ''
let token = ''
beforeAll(async () => {
  server = await startTestServer({ store })
  await server.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'listed' } } })
  for (let index = 0; index < 15; index++) {
    const { json } = await server.call('POST', path, { body: { metadata: { name: `c-${index}` } } })
    if (index === 0) compacted = json.metadata.resourceVersion as string
    if (index < 5) await server.call('DELETE', `${path}/c-${index}`)
    if (index === 4) await store.compact(Number(json.metadata.resourceVersion))
  }
  token = (await server.call('GET', `${path}?limit=6`)).json.metadata.continue as string
})
afterAll(() => server.close())

/** What is told, or how many are listed. */
function expected(limit: number, token: string, revision: string, match: string): string | number {
  if (revision === '' && match !== '') return 'resourceVersionMatch is forbidden unless resourceVersion is provided'
  if (token !== '' && match !== '') return 'resourceVersionMatch is forbidden when continue is provided'
  if (match === 'InvalidMatch') return 'supported values'
  if (match === 'Exact' && revision === '0') return 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
  if (revision === 'invalid') return 'Invalid value'
  if (token === 'invalid') return 'continue key is not valid'
  if (token !== '' && revision === 'compacted') return 'specifying resource version is not allowed when using continue'
  if (revision === 'compacted' && (match === 'Exact' || (limit > 0 && match === '')))
    return 'The resourceVersion for the provided list is too old'
  return token === 'valid' ? 4 : limit > 0 ? 6 : 10
}

const cases = [0, 6].flatMap(limit =>
  ['', 'valid', 'invalid'].flatMap(token =>
    ['', '0', 'compacted', 'invalid'].flatMap(revision =>
      ['', 'NotOlderThan', 'Exact', 'InvalidMatch'].map(match => [limit, token, revision, match] as const),
    ),
  ),
)

test.each(cases)('limit %j, continue %j, revision %j, match %j', async (limit, continued, revision, match) => {
  const query = new URLSearchParams({
    ...(limit > 0 && { limit: String(limit) }),
    ...(continued !== '' && { continue: continued === 'valid' ? token : 'invalidContinueToken' }),
    ...(revision !== '' && { resourceVersion: revision === 'compacted' ? compacted : revision }),
    ...(match !== '' && { resourceVersionMatch: match }),
  })
  const { json } = await server.call('GET', `${path}?${query.toString()}`)
  const wanted = expected(limit, continued, revision, match)
  if (typeof wanted === 'string') expect(json.message).toContain(wanted)
  else expect((json.items as unknown[] | undefined)?.length ?? json.message).toBe(wanted)
})
