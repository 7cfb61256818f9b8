// Who may ask, and how much: policies as a cluster has them, real requests through the real HAProxy.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { request, type IncomingMessage, type Server } from 'node:http'
import { once } from 'node:events'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AccessLog } from '../../src/gateway/access-log/access-log.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { tellingService } from '../../src/testing/handled-requests.ts'
import {
  accessPolicy,
  consumer,
  policedModel,
  trafficPolicy,
  type PolicedCluster,
} from '../../src/testing/policed-gateway.ts'
import { privateHaproxy, type PrivateHaproxy } from '../../src/testing/private-haproxy.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

const [rsa, other, ec] = [
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
  generateKeyPairSync('ec', { namedCurve: 'P-256' }),
]
const jwk = (key: KeyObject, more: object = {}): object => ({ ...key.export({ format: 'jwk' }), use: 'sig', ...more })
const keySet = (...keys: readonly object[]): Record<string, string> => ({ 'jwks.json': JSON.stringify({ keys }) })
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = (): number => Math.floor(Date.now() / 1000)

interface TokenFacts {
  readonly claims?: object
  readonly key?: KeyObject
  readonly head?: object
}

function token({ claims = {}, key = rsa.privateKey, head = {} }: TokenFacts = {}): string {
  const isRsa = key.asymmetricKeyType === 'rsa'
  const said = { iss: 'https://issuer.example', aud: 'shop', sub: 'ann', exp: now() + 60, ...claims }
  const start = `${base64({ alg: isRsa ? 'RS256' : 'ES256', kid: isRsa ? 'rsa' : 'ec', ...head })}.${base64(said)}`
  return `${start}.${sign('sha256', Buffer.from(start), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const bearer = (facts?: TokenFacts): Record<string, string> => ({ authorization: `Bearer ${token(facts)}` })
const basic = (name: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
})

const cache = { maxAge: '60s', maxObjectSize: '64Ki', size: '1Mi' }

const cluster: PolicedCluster = {
  rules: {
    open: {},
    keys: {},
    query: {},
    basic: {},
    either: {},
    named: {},
    grouped: {},
    both: {},
    token: {},
    scopes: {},
    worded: {},
    members: {},
    nokeys: {},
    odd: {},
    allow: {},
    deny: {},
    allowed: {},
    ten: {},
    each: {},
    tenant: {},
    everyone: {},
    small: {},
    brief: {},
    noted: {},
    kept: {},
    mine: {},
    down: {},
    packed: {},
    marked: {},
    asked: {
      filters: [
        {
          type: 'CORS',
          cors: { allowOrigins: ['https://shop.example'], allowMethods: ['PUT'], maxAge: 5 },
        } as never,
      ],
    },
    moved: { filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'a.example', statusCode: 302 } }] },
  },
  secrets: {
    ann: { key: 'key of ann' },
    bob: { key: 'key of bob' },
    'bob-login': { username: 'bob', password: 'secret: with a colon' },
    issuer: keySet(jwk(rsa.publicKey, { kid: 'rsa' }), jwk(ec.publicKey, { kid: 'ec' })),
    empty: { nothing: 'x' },
  },
  consumers: [
    consumer('ann', [{ type: 'Key', secretRef: { name: 'ann' } }], ['staff']),
    consumer('bob', [
      { type: 'Key', secretRef: { name: 'bob' } },
      { type: 'Basic', secretRef: { name: 'bob-login' } },
    ]),
    consumer('copy', [{ type: 'Key', secretRef: { name: 'ann' } }], [], '2026-02-01T00:00:00Z'),
  ],
  accessPolicies: [
    accessPolicy('keys', 'keys', { authentication: { keys: { header: 'X-API-Key' } } }),
    accessPolicy('query', 'query', { authentication: { keys: { header: "x-a'$b", queryParameter: 'key' } } }),
    accessPolicy('basic', 'basic', { authentication: { basic: { realm: 'the "shop"' } } }),
    accessPolicy('either', 'either', { authentication: { keys: { header: 'x-api-key' }, basic: { realm: 'shop' } } }),
    accessPolicy('named', 'named', { authentication: { keys: { header: 'x-api-key' } }, consumers: ['bob'] }),
    accessPolicy('grouped', 'grouped', { authentication: { keys: { header: 'x-api-key' } }, groups: ['staff'] }),
    accessPolicy('first', 'both', { authentication: { keys: { header: 'x-api-key' } } }),
    accessPolicy('second', 'both', { authentication: { basic: { realm: 'shop' } } }),
    accessPolicy('token', 'token', {
      authentication: {
        jwt: {
          issuer: 'https://issuer.example',
          audiences: ['other', 'shop'],
          keysRef: { kind: 'Secret', name: 'issuer' },
          consumerClaim: 'sub',
        },
      },
    }),
    accessPolicy('worded', 'worded', {
      authentication: {
        jwt: {
          issuer: 'https://issuer.example',
          keysRef: { kind: 'Secret', name: 'issuer' },
          claims: { scope: ['orders.read', 'admin'] },
          consumerClaim: 'sub',
        },
      },
    }),
    accessPolicy('scopes', 'scopes', {
      authentication: {
        jwt: {
          issuer: 'https://issuer.example',
          keysRef: { kind: 'Secret', name: 'issuer' },
          claims: { roles: ['admin', 'editor'], tier: ['gold'] },
          consumerClaim: 'sub',
        },
      },
    }),
    accessPolicy('members', 'members', {
      authentication: {
        jwt: {
          issuer: 'https://issuer.example',
          keysRef: { kind: 'Secret', name: 'issuer' },
          consumerClaim: 'sub',
        },
      },
      groups: ['staff'],
    }),
    accessPolicy('nokeys', 'nokeys', {
      authentication: {
        jwt: { issuer: 'i', keysRef: { kind: 'Secret', name: 'empty' }, consumerClaim: 'sub' },
      },
    }),
    accessPolicy('allow', 'allow', { addresses: { allow: ['10.0.0.0/8', '2001:db8::/32'] } }),
    accessPolicy('deny', 'deny', { addresses: { deny: ['10.0.0.0/8', '127.0.0.0/8'] } }),
    accessPolicy('allowed', 'allowed', {
      addresses: { allow: [...Array.from({ length: 60 }, (_, at) => `10.${at}.0.0/16`), '127.0.0.1/32'], deny: [] },
    }),
    accessPolicy('noted', 'noted', { authentication: { keys: { header: 'x-api-key', queryParameter: 'api.key' } } }),
    accessPolicy('mine', 'mine', { authentication: { keys: { header: 'x-api-key' } } }),
    accessPolicy('asked', 'asked', { authentication: { keys: { header: 'x-api-key' } } }),
    accessPolicy('moved', 'moved', { authentication: { keys: { header: 'x-api-key' } } }),
    accessPolicy('each', 'each', { authentication: { keys: { header: 'x-api-key' } } }),
  ],
  trafficPolicies: [
    trafficPolicy('ten', 'ten', { rateLimits: [{ requests: 10, per: '1h', by: 'Address' }] }),
    trafficPolicy('each', 'each', { rateLimits: [{ requests: 3, per: '1m', by: 'Consumer' }] }),
    trafficPolicy('tenant', 'tenant', { rateLimits: [{ requests: 2, per: '1m', by: 'Header', header: 'X-Tenant' }] }),
    trafficPolicy('everyone', 'everyone', { rateLimits: [{ requests: 2, per: '1m', by: 'Everybody' }] }),
    trafficPolicy('noted', 'noted', { accessLog: { headers: ['User-Agent', 'X-Odd'] } }),
    trafficPolicy('brief', 'brief', { maxHeaderSize: '1Ki' }),
    trafficPolicy('kept', 'kept', { cache }),
    trafficPolicy('mine', 'mine', { cache }),
    trafficPolicy('small', 'small', { maxBodySize: '1Ki' }),
    trafficPolicy('down', 'down', { maintenance: { message: 'back at %noon% "soon"', retryAfter: '2m' } }),
    trafficPolicy('packed', 'packed', { compression: { contentTypes: ['application/json', 'text/plain'] } }),
    trafficPolicy('marked', 'marked', { requestId: { header: 'X-Request-Id' } }),
  ],
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

describe.skipIf(reason !== undefined)(`policies${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let haproxy: PrivateHaproxy
  let accessLog: AccessLog
  let directory: string
  let logFile: string
  let service: Server & { readonly port: number }

  const bring = (more: Partial<PolicedCluster> = {}): Promise<string> =>
    haproxy.haproxy.bring(policedModel(haproxy.port, service.port, { ...cluster, ...more }).model)

  async function ask(
    path: string,
    headers: Readonly<Record<string, string>> = {},
    { method = 'GET', body }: { readonly method?: string; readonly body?: string | readonly string[] } = {},
  ): Promise<Answer> {
    const asking = request({
      host: '127.0.0.1',
      port: haproxy.port,
      path,
      method,
      headers: { ...headers },
      agent: false,
    })
    // Without an end that is known beforehand, it comes in chunks.
    if (typeof body === 'object') for (const part of body) asking.write(part)
    asking.end(typeof body === 'string' ? body : undefined)
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    const parts: Buffer[] = []
    for await (const part of response) parts.push(part as Buffer)
    return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }
  }

  const status = async (...asked: Parameters<typeof ask>): Promise<number> => (await ask(...asked)).status

  /** What the service was asked with. */
  async function told(...asked: Parameters<typeof ask>): Promise<Record<string, string>> {
    const { body } = await ask(...asked)
    return (JSON.parse(body.toString()) as { headers: Record<string, string> }).headers
  }

  beforeAll(async () => {
    service = await tellingService()
    haproxy = await privateHaproxy()
    directory = mkdtempSync(join(tmpdir(), 'sampan-log-'))
    logFile = join(directory, 'access.log')
    accessLog = new AccessLog({ socket: haproxy.logSocket, file: logFile, clock: machineClock, logger: silentLogger })
    await accessLog.open()
    await bring()
  })
  afterAll(async () => {
    await haproxy?.close()
    await accessLog?.close()
    rmSync(directory, { recursive: true, force: true })
    service?.close()
  })

  describe('a key', () => {
    test('lets in, and the service is told who asks', async () => {
      expect((await told('/keys', { 'x-api-key': 'key of ann' }))['x-consumer-name']).toBe('ann')
      expect((await told('/keys', { 'X-Api-Key': 'key of bob' }))['x-consumer-name']).toBe('bob')
    })

    test.each<[string, Record<string, string>]>([
      ['is missing', {}],
      ['is empty', { 'x-api-key': '' }],
      ['is nobody’s', { 'x-api-key': 'key' }],
      ['is a digest', { 'x-api-key': '=ann' }],
    ])('that %s does not', async (_, headers) => {
      const { status: found, headers: answered } = await ask('/keys', headers)
      expect([found, answered['www-authenticate']]).toEqual([401, 'Key'])
    })

    test('may be in the query', async () => {
      expect(await status('/query?a=1&key=key%20of%20ann')).toBe(200)
      expect(await status('/query?a=1&key=key')).toBe(401)
      expect(await status('/query', { "x-a'$b": 'key of ann' })).toBe(200)
    })

    test('is that of the older one of two', async () => {
      expect((await told('/keys', { 'x-api-key': 'key of ann' }))['x-consumer-name']).toBe('ann')
    })

    test('of somebody else is known, and not let in', async () => {
      expect(await status('/named', { 'x-api-key': 'key of bob' })).toBe(200)
      expect(await status('/named', { 'x-api-key': 'key of ann' })).toBe(403)
      expect(await status('/grouped', { 'x-api-key': 'key of ann' })).toBe(200)
      expect(await status('/grouped', { 'x-api-key': 'key of bob' })).toBe(403)
    })
  })

  test('nobody says who somebody else is', async () => {
    expect((await told('/open', { 'X-Consumer-Name': 'ann' }))['x-consumer-name']).toBeUndefined()
    expect((await told('/keys', { 'X-Consumer-Name': 'ann', 'x-api-key': 'key of bob' }))['x-consumer-name']).toBe(
      'bob',
    )
  })

  test('a name and a password let in', async () => {
    const right = basic('bob', 'secret: with a colon')
    expect((await told('/basic', right))['x-consumer-name']).toBe('bob')
    expect(await status('/basic', { authorization: right['authorization']!.replace('Basic', 'bAsIc') })).toBe(200)
    const { status: found, headers } = await ask('/basic', basic('bob', 'secret'))
    expect([found, headers['www-authenticate']]).toEqual([401, String.raw`Basic realm="the \"shop\"", charset="UTF-8"`])
    expect(await status('/basic', { authorization: right['authorization']!.replace('Basic', 'Digest') })).toBe(401)
    expect(await status('/basic', { 'x-api-key': 'key of bob' })).toBe(401)
  })

  test('of several ways one is enough, of several policies each has to agree', async () => {
    const [key, login] = [{ 'x-api-key': 'key of ann' }, basic('bob', 'secret: with a colon')]
    expect([await status('/either', key), await status('/either', login), await status('/either')]).toEqual([
      200, 200, 401,
    ])
    expect([await status('/both', key), await status('/both', login)]).toEqual([401, 401])
    expect(await status('/both', { ...key, ...login })).toBe(200)
  })

  describe('a token', () => {
    test.each<[string, TokenFacts]>([
      ['signed with RSA', {}],
      ['signed with an elliptic curve', { key: ec.privateKey }],
      ['that names no key', { head: { kid: undefined } }],
      ['for several', { claims: { aud: ['x', 'y', 'shop'] } }],
      ['that is valid by now', { claims: { nbf: now() - 1 } }],
    ])('%s lets in', async (_, facts) => {
      expect((await told('/token', bearer(facts)))['x-consumer-name']).toBe('ann')
    })

    test.each<[string, TokenFacts]>([
      ['of somebody else', { key: other.privateKey }],
      ['that has expired', { claims: { exp: now() - 1 } }],
      ['that never expires', { claims: { exp: undefined } }],
      ['that is not valid yet', { claims: { nbf: now() + 30 } }],
      ['of another issuer', { claims: { iss: 'https://other.example' } }],
      ['without an issuer', { claims: { iss: undefined } }],
      ['for others', { claims: { aud: 'others' } }],
      ['for nobody', { claims: { aud: undefined } }],
      ['for others, of whom there are several', { claims: { aud: ['x', '"shop"'] } }],
      ['that names another key', { head: { kid: 'ec' } }],
      ['that names a key of nobody', { head: { kid: 'x' } }],
      ['with another algorithm', { head: { alg: 'none' } }],
      ['that has to be understood in another way', { head: { crit: ['b64'] } }],
      ['of nobody', { claims: { sub: undefined } }],
      ['of somebody who would be another header', { claims: { sub: 'ann\r\nX-Admin: yes' } }],
    ])('%s does not', async (_, facts) => {
      const { status: found, headers } = await ask('/token', bearer(facts))
      expect([found, headers['www-authenticate']]).toEqual([401, 'Bearer'])
    })

    test.each([
      ['without a signature', (text: string) => text.replace(/[^.]*$/, '')],
      ['with two parts', (text: string) => text.replace(/\.[^.]*$/, '')],
      [
        'with other claims',
        (text: string) =>
          text.replace(
            /\..*\./,
            `.${base64({ sub: 'ann', exp: now() + 60, iss: 'https://issuer.example', aud: 'shop' })}.`,
          ),
      ],
      ['that is none', () => 'abc'],
      ['that is nothing', () => ''],
    ])('%s does not', async (_, change) => {
      const told = token({ claims: { sub: 'eve' } })
      expect(await status('/token', { authorization: `Bearer ${change(told)}` })).toBe(401)
    })

    test('has one value of each claim', async () => {
      const of = (claims: object): Promise<number> => status('/scopes', bearer({ claims }))
      expect(await of({ roles: 'admin', tier: 'gold' })).toBe(200)
      expect(await of({ roles: ['guest', 'editor'], tier: ['gold'] })).toBe(200)
      expect(await of({ roles: ['guest'], tier: 'gold' })).toBe(401)
      expect(await of({ roles: 'admin' })).toBe(401)
      expect(await of({ tier: 'gold' })).toBe(401)
    })

    test.each([
      ['orders.read', 200],
      ['openid orders.read', 200],
      ['admin openid', 200],
      ['orders.reads', 401],
      ['ordersXread', 401],
      ['openid', 401],
    ])('with the scope "%s" is answered with %i', async (scope, expected) => {
      expect(await status('/worded', bearer({ claims: { scope } }))).toBe(expected)
    })

    test('of a member of the group lets in', async () => {
      expect(await status('/members', bearer())).toBe(200)
      expect(await status('/members', bearer({ claims: { sub: 'bob' } }))).toBe(403)
    })

    test('lets nobody in where there are no keys', async () => {
      expect(await status('/nokeys', bearer({ claims: { iss: 'i' } }))).toBe(401)
      const { policing } = policedModel(haproxy.port, service.port, cluster)
      const found = policing.own.find(({ policy }) => policy.metadata.name === 'nokeys')!
      expect(found.findings.map(({ message }) => message)).toEqual([
        'expected jwks.json or key.pem in the Secret "empty", found nothing',
      ])
    })
  })

  test('addresses are let in, or not', async () => {
    expect([await status('/allow'), await status('/deny'), await status('/allowed'), await status('/open')]).toEqual([
      403, 403, 200, 200,
    ])
  })

  test('browsers may ask whether they may ask, without a key', async () => {
    const headers = { origin: 'https://shop.example', 'access-control-request-method': 'PUT' }
    const preflight = await ask('/asked', headers, { method: 'OPTIONS' })
    expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([200, 'PUT'])
    expect(await status('/asked', { origin: 'https://shop.example' })).toBe(401)
  })

  test('a redirect is told to those who may ask', async () => {
    expect([await status('/moved'), await status('/moved', { 'x-api-key': 'key of ann' })]).toEqual([401, 302])
  })

  describe('a limit', () => {
    const many = async (count: number, ...asked: Parameters<typeof ask>): Promise<number[]> => {
      const found: number[] = []
      for (let at = 0; at < count; at++) found.push(await status(...asked))
      return found
    }

    test('counts the requests of an address', async () => {
      expect(await many(12, '/ten')).toEqual([...Array.from({ length: 10 }, () => 200), 429, 429])
      expect((await ask('/ten')).headers['retry-after']).toBe('3600')
    })

    test('counts those of each consumer, and who is refused is not counted', async () => {
      await many(5, '/each')
      expect(await many(4, '/each', { 'x-api-key': 'key of ann' })).toEqual([200, 200, 200, 429])
      expect(await many(4, '/each', { 'x-api-key': 'key of bob' })).toEqual([200, 200, 200, 429])
    })

    test('counts those of each value of a header, and those without it', async () => {
      expect(await many(3, '/tenant', { 'x-tenant': 'a' })).toEqual([200, 200, 429])
      expect(await many(3, '/tenant', { 'x-tenant': 'b' })).toEqual([200, 200, 429])
      expect(await many(3, '/tenant')).toEqual([200, 200, 429])
      expect(await many(1, '/tenant', { 'x-tenant': '' })).toEqual([200])
    })

    test('counts all together', async () => {
      expect(await many(3, '/everyone')).toEqual([200, 200, 429])
    })

    test('goes on counting while keys change', async () => {
      await bring({ secrets: { ...cluster.secrets, bob: { key: 'other' } } })
      expect(await status('/ten')).toBe(429)
      await bring()
    })
  })

  test('a body that is too large, or of any size, is refused', async () => {
    const of = (bytes: number): Promise<number> => status('/small', {}, { method: 'POST', body: 'x'.repeat(bytes) })
    expect([await of(1024), await of(1025), await status('/small')]).toEqual([200, 413, 200])
    expect(await status('/small', {}, { method: 'POST', body: ['x'.repeat(10), 'y'] })).toBe(411)
    expect(await status('/small', {}, { method: 'POST' })).toBe(200)
  })

  test('while it is down, every request is told so', async () => {
    const { status: found, headers, body } = await ask('/down')
    expect([found, headers['retry-after'], body.toString()]).toEqual([503, '120', 'back at %noon% "soon"'])
  })

  test('answers are compressed for those that take it', async () => {
    const asJson = { 'x-answer': JSON.stringify({ 'content-type': 'application/json' }) }
    const { headers, body } = await ask('/packed', { 'accept-encoding': 'gzip', ...asJson })
    expect(headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(body).toString()).toContain('/packed')
    expect((await ask('/packed', asJson)).headers['content-encoding']).toBeUndefined()
  })

  test('a request that is refused has an id, too', async () => {
    await bring({
      trafficPolicies: [
        ...cluster.trafficPolicies!,
        trafficPolicy('id', 'brief', { requestId: { header: 'X-Request-Id' } }),
      ],
    })
    const { status: found, headers } = await ask('/brief', { 'x-long': 'x'.repeat(1200) })
    expect([found, headers['x-request-id']]).toEqual([431, expect.stringMatching(/^[0-9a-f-]{36}$/)])
    await bring()
  })

  test('headers that are too large are refused', async () => {
    const of = (bytes: number): Promise<number> => status('/brief', { 'x-long': 'x'.repeat(bytes) })
    expect([await of(500), await of(1200)]).toEqual([200, 431])
  })

  describe('an answer', () => {
    const keptFor = (control: string): Record<string, string> => ({
      'x-answer': JSON.stringify({ 'cache-control': control }),
    })
    /** Which of two requests the service answered, by a header that it is asked with. */
    async function answered(
      path: string,
      headers: Record<string, string>,
      ...others: Record<string, string>[]
    ): Promise<string[]> {
      const found: string[] = []
      for (const [count, more] of [{}, ...others].entries())
        found.push((await told(path, { ...headers, 'x-count': String(count), ...more }))['x-count']!)
      return found
    }

    test('that may be kept is given to who asks for the same', async () => {
      expect(await answered('/kept?a', keptFor('max-age=30'), {})).toEqual(['0', '0'])
      const varying = { 'x-answer': JSON.stringify({ 'cache-control': 'max-age=30', vary: 'accept-encoding' }) }
      expect(await answered('/kept?b', varying, {})).toEqual(['0', '0'])
    })

    test('that varies by what HAProxy does not look at is not kept', async () => {
      const asked = { 'x-answer': JSON.stringify({ 'cache-control': 'max-age=30', vary: 'x-who' }) }
      expect(await answered('/kept?vary', asked, {})).toEqual(['0', '1'])
    })

    test.each(['no-store', 'private', 'no-cache'])('that is %s is not kept', async control => {
      expect(await answered(`/kept?${control}`, keptFor(control), {})).toEqual(['0', '1'])
    })

    test('to somebody who showed who it is goes to nobody else, unless it is for all', async () => {
      const ann = { 'x-api-key': 'key of ann' }
      const bob = { 'x-api-key': 'key of bob' }
      expect(await answered('/mine?own', { ...keptFor('max-age=30'), ...ann }, bob)).toEqual(['0', '1'])
      expect(await answered('/mine?all', { ...keptFor('public, max-age=30'), ...ann }, bob)).toEqual(['0', '0'])
      expect(await status('/mine?all')).toBe(401)
    })
  })

  const lines = (): Record<string, unknown>[] =>
    existsSync(logFile)
      ? readFileSync(logFile, 'utf8')
          .trim()
          .split('\n')
          .filter(Boolean)
          .map(line => JSON.parse(line) as Record<string, unknown>)
      : []

  test('each request is a line of the log, whoever asks for what', async () => {
    const odd = String.raw`"quoted" \ and %d`
    expect(await status('/open')).toBe(200)
    expect(
      await status('/noted/a?b="c"&api.key=secret&d', {
        'x-api-key': 'key of ann',
        'x-odd': odd,
        'user-agent': 'test',
      }),
    ).toBe(200)
    expect(await status('/noted')).toBe(401)
    await eventually('both lines', () => lines().length >= 2)
    expect(lines()).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        client: '127.0.0.1',
        method: 'GET',
        host: `127.0.0.1:${haproxy.port}`,
        path: '/noted/a?b="c"&api.key=***&d',
        protocol: 'HTTP/1.1',
        status: 200,
        bytes: expect.any(Number),
        milliseconds: expect.any(Number),
        backend: expect.stringMatching(/^shop\.web\.80\./),
        instance: `127.0.0.1:${service.port}`,
        consumer: 'ann',
        headers: { 'user-agent': 'test', 'x-odd': odd },
        end: '--',
      },
      expect.objectContaining({
        path: '/noted',
        status: 401,
        consumer: null,
        headers: { 'user-agent': '', 'x-odd': '' },
      }),
    ])
  })

  test('lines wait while nobody takes them', async () => {
    await accessLog.close()
    // What is on its way when a connection ends is lost; by the last one HAProxy knows.
    for (let count = 0; count < 20; count++) expect(await status(`/noted/away-${count}`)).toBe(401)
    accessLog = new AccessLog({ socket: haproxy.logSocket, file: logFile, clock: machineClock, logger: silentLogger })
    await accessLog.open()
    await eventually('the line', () => lines().some(({ path }) => path === '/noted/away-19'))
  })

  test('each request has an id', async () => {
    const { headers, body } = await ask('/marked')
    const seen = (JSON.parse(body.toString()) as { headers: Record<string, string> }).headers['x-request-id']
    expect(seen).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers['x-request-id']).toBe(seen)
    expect((await told('/marked', { 'x-request-id': 'mine-1' }))['x-request-id']).toBe('mine-1')
    expect((await told('/marked', { 'x-request-id': 'not mine' }))['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('keys come and go without a load', async () => {
    const secrets = { ...cluster.secrets, ann: { key: 'another key' } }
    expect(await bring({ secrets })).toBe('commands')
    expect(await status('/keys', { 'x-api-key': 'key of ann' })).toBe(401)
    expect(await status('/keys', { 'x-api-key': 'another key' })).toBe(200)
    expect(await bring()).toBe('commands')
  })
})
