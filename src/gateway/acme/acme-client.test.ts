// How an authority is asked: what is signed, what is asked again, and what is made of its refusals. It is held against a real
// one in test/e2e/gateway.acme.test.ts.
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { acmeClient, type AcmeClient } from './acme-client.ts'
import { newKey } from './certificate-request.ts'
import { AcmeProblem, AuthorityAway } from './problem.ts'
import { authorityAsker, type AskedAuthority, type AuthorityAnswer } from './request.ts'
import { accountKey } from './signing.ts'

interface Posted {
  readonly url: string
  readonly header: { readonly nonce: string; readonly kid?: string; readonly jwk?: JsonWebKey; readonly url: string }
  readonly payload: unknown
}

const server = 'https://authority.example/directory'
const directory = { newNonce: 'https://n', newAccount: 'https://a', newOrder: 'https://o' }

/** @param answer what a POST gets; undefined: what is usual */
function asked(answer: (posted: Posted, count: number) => Partial<AnswerFacts> | undefined, bound?: string) {
  const posts: Posted[] = []
  const key = accountKey(newKey())
  let nonces = 0
  const ask = async (url: string, { method, body }: AskedAuthority): Promise<AuthorityAnswer> => {
    const fresh = { 'replay-nonce': `n${++nonces}` }
    if (method === 'GET') return answerOf({ body: directory })
    if (method === 'HEAD') return answerOf({ headers: fresh })
    const sent = JSON.parse(body!) as { protected: string; payload: string; signature: string }
    const header = JSON.parse(Buffer.from(sent.protected, 'base64url').toString()) as Posted['header']
    const text = Buffer.from(sent.payload, 'base64url').toString()
    const isSigned = verify(
      'sha256',
      Buffer.from(`${sent.protected}.${sent.payload}`),
      { key: createPublicKey(key.key), dsaEncoding: 'ieee-p1363' },
      Buffer.from(sent.signature, 'base64url'),
    )
    expect(isSigned).toBe(true)
    expect(header.url).toBe(url)
    const posted = { url, header, payload: text === '' ? undefined : JSON.parse(text) }
    posts.push(posted)
    const { headers, ...rest } = answer(posted, posts.length) ?? usual(url)
    return answerOf({ ...rest, headers: { ...fresh, ...headers } })
  }
  const details = { email: 'a@b.c', binding: bound === undefined ? undefined : { keyId: 'known', secret: bound } }
  const client: AcmeClient = acmeClient(server, key, details, ask)
  return { client, posts, key }
}

interface AnswerFacts {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

const answerOf = ({ status = 200, headers = {}, body = {} }: Partial<AnswerFacts>): AuthorityAnswer => ({
  status,
  header: name => headers[name],
  text: typeof body === 'string' ? body : JSON.stringify(body),
})
const usual = (url: string): Partial<AnswerFacts> =>
  url === directory.newAccount
    ? { status: 201, headers: { location: 'https://account/1' } }
    : { status: 201, headers: { location: 'https://order/1' }, body: { status: 'pending' } }
const problem = (kind: string, status = 400, headers = {}): Partial<AnswerFacts> => ({
  status,
  headers,
  body: { type: `urn:ietf:params:acme:error:${kind}`, detail: 'in words' },
})

test('an order is asked for as the account, which is made before', async () => {
  const { client, posts, key } = asked(() => undefined)
  expect(await client.newOrder('*.a.test')).toMatchObject({ url: 'https://order/1', status: 'pending' })
  await client.newOrder('b.test')
  expect(posts.map(({ url, header, payload }) => [url, header.kid ?? header.jwk, payload])).toEqual([
    [directory.newAccount, key.jwk, { termsOfServiceAgreed: true, contact: ['mailto:a@b.c'] }],
    [directory.newOrder, 'https://account/1', { identifiers: [{ type: 'dns', value: '*.a.test' }] }],
    [directory.newOrder, 'https://account/1', { identifiers: [{ type: 'dns', value: 'b.test' }] }],
  ])
  const nonces = posts.map(({ header }) => header.nonce)
  expect(new Set(nonces).size).toBe(nonces.length)
})

test('a nonce that is refused is replaced by the one that came with the refusal', async () => {
  const { client, posts } = asked((_posted, count) => (count < 6 ? problem('badNonce') : undefined))
  await client.account()
  expect(posts).toHaveLength(6)
})

test('an authority that refuses every nonce is given up', async () => {
  const { client, posts } = asked(() => problem('badNonce'))
  await expect(client.account()).rejects.toThrow('badNonce: in words')
  expect(posts).toHaveLength(10)
})

test('an authority that lost the account gets it again', async () => {
  const { client, posts } = asked(({ url }, count) =>
    url === directory.newOrder && count === 2 ? problem('accountDoesNotExist') : undefined,
  )
  await client.newOrder('a.test')
  expect(posts.map(({ url }) => url)).toEqual([
    directory.newAccount,
    directory.newOrder,
    directory.newAccount,
    directory.newOrder,
  ])
})

test('an account that the authority has is bound by its key', async () => {
  const { client, posts, key } = asked(() => undefined, Buffer.from('secret').toString('base64url'))
  await client.account()
  const { externalAccountBinding: bound } = posts[0]!.payload as { externalAccountBinding: Record<string, string> }
  const [header, payload] = [bound['protected']!, bound['payload']!].map(
    part => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown,
  )
  expect(header).toEqual({ alg: 'HS256', kid: 'known', url: directory.newAccount })
  expect(payload).toEqual(key.jwk)
})

describe('what is refused', () => {
  const refusal = async (answer: Partial<AnswerFacts>): Promise<unknown> =>
    asked(({ url }) => (url === directory.newOrder ? answer : undefined))
      .client.newOrder('a.test')
      .catch((error: unknown) => error)

  test('is told with its kind, its words and the time after which to come back', async () => {
    const error = (await refusal(problem('rateLimited', 429, { 'retry-after': '3600' }))) as AcmeProblem
    expect(error).toBeInstanceOf(AcmeProblem)
    expect(error).toMatchObject({ kind: 'rateLimited', message: 'rateLimited: in words', retryAfterMs: 3_600_000 })
  })

  test('may name a time', async () => {
    const headers = { date: 'Mon, 01 Jun 2026 00:00:00 GMT', 'retry-after': 'Mon, 01 Jun 2026 01:00:00 GMT' }
    expect(await refusal(problem('rateLimited', 429, headers))).toMatchObject({ retryAfterMs: 3_600_000 })
  })

  test('may be of several names', async () => {
    const subproblems = [{ detail: 'forbidden', identifier: { value: 'a.test' } }]
    const error = await refusal({ status: 403, body: { type: 'urn:ietf:params:acme:error:compound', subproblems } })
    expect(error).toMatchObject({ message: 'compound; a.test: forbidden' })
  })

  test('by whatever stands before the authority says nothing of the order', async () => {
    expect(await refusal({ status: 502, body: '<html>bad gateway</html>' })).toBeInstanceOf(AuthorityAway)
  })
})

test('an authority is asked by https alone', async () => {
  await expect(authorityAsker(undefined)('http://127.0.0.1:1/', { method: 'GET' })).rejects.toThrow(
    'expected a URL with https',
  )
})

test.each([
  ['nobody answers', 'https://127.0.0.1:1/'],
  ['there is no such host', 'https://nobody.invalid/'],
])('%s: it is away', async (_, url) => {
  await expect(authorityAsker(undefined)(url, { method: 'GET' })).rejects.toBeInstanceOf(AuthorityAway)
})
