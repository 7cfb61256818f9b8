// What users write never is anything but a value: whatever it is, HAProxy takes the configuration.
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashOf } from '../model/backends.ts'
import type { Balancing } from '../model/balancing.ts'
import type { Backend, GatewayModel, Handling, PathChange, Rule } from '../model/model.ts'
import { loaded } from './change.ts'
import { filesOf } from './files.ts'
import { isThorough } from '../../testing/thoroughness.ts'
import { program } from './haproxy-places.ts'
import { layoutOf } from './layout.ts'

const isMissing = spawnSync(program, ['-v']).error !== undefined

const marks = ['"', "'", '\\', '%', '%%', '#', '}', '{', ']', ')', '!', ' ', '\r\n', '\0', 'ü', '\u{1F6A4}']
const phrases = [
  '%[src]',
  '%[env(HOME)]',
  '${HOME}',
  'a #b',
  'a\nb',
  '-i',
  '--',
  'if',
  'unless',
  'a if { always_true }',
]
const odd = fc.oneof(
  fc.constantFrom(...marks, ...phrases),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc
    .array(fc.constantFrom('"', "'", '\\', '%', '[', ']', '{', '}', '$', '#', ' ', 'a', '\n', '(', ')'), {
      minLength: 1,
    })
    .map(all => all.join('')),
)
const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,20}$/)
const header = fc.record({ name: token, value: odd })
const changes = fc.array(
  fc.record({
    set: fc.array(header, { maxLength: 2 }),
    add: fc.array(header, { maxLength: 2 }),
    remove: fc.array(token, { maxLength: 2 }),
  }),
  { maxLength: 2 },
)
const path: fc.Arbitrary<PathChange> = fc.oneof(
  fc.record({ kind: fc.constant('whole' as const), value: odd }),
  fc.record({ kind: fc.constant('prefix' as const), prefix: odd.map(text => `/${text}`), value: odd }),
)
/** As the definitions let it be; a claim's name is a word. */
const network = fc.constantFrom('10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32', '::/0')
const word = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/)
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const tokenCheck = fc.record(
  {
    issuer: odd,
    audiences: fc.array(odd, { maxLength: 3 }),
    keys: fc.array(
      fc.record(
        { id: odd, algorithm: fc.constant('ES256'), pem: fc.constant(pem) },
        { requiredKeys: ['algorithm', 'pem'] },
      ),
      { maxLength: 2 },
    ),
    claims: fc.array(fc.record({ name: word, values: fc.array(odd, { minLength: 1, maxLength: 2 }) }), {
      maxLength: 2,
    }),
    consumerClaim: word,
    consumers: fc.array(odd, { maxLength: 2 }),
  },
  { requiredKeys: ['issuer', 'audiences', 'keys', 'claims', 'consumerClaim'] },
)
const policy = fc.record(
  {
    source: fc.constant('AccessPolicy shop/x'),
    isClosed: fc.boolean(),
    addresses: fc.record(
      { allow: fc.array(network, { minLength: 1, maxLength: 50 }), deny: fc.array(network, { maxLength: 50 }) },
      { requiredKeys: ['deny'] },
    ),
    identity: fc.record(
      {
        keys: fc.record(
          { header: token, queryParameter: word, credentials: fc.constant('key_1') },
          { requiredKeys: ['credentials'] },
        ),
        basic: fc.record({ realm: odd, credentials: fc.constant('key_1') }),
        token: tokenCheck,
        login: fc.record({
          session: tokenCheck,
          cookie: word,
          start: odd,
          redirectPath: fc.constant('/in'),
          logoutPath: fc.constant('/out'),
        }),
      },
      { requiredKeys: [] },
    ),
    limits: fc.array(
      fc
        .record({
          requests: fc.integer({ min: 1, max: 1e6 }),
          periodMs: fc.integer({ min: 1000, max: 86_400_000 }),
          by: fc.oneof(
            fc.constantFrom('address' as const, 'consumer' as const, 'everybody' as const),
            fc.record({ header: token }),
          ),
        })
        .map(limit => ({ id: `limit_${hashOf(limit)}`, ...limit })),
      { maxLength: 2 },
    ),
    log: fc.record({ headers: fc.array(fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/), { maxLength: 3 }) }),
    maxBodyBytes: fc.integer({ min: 1, max: 1e12 }),
    maxHeaderBytes: fc.integer({ min: 1, max: 1e12 }),
    cache: fc.record({
      maxAgeSeconds: fc.integer({ min: 1, max: 1e8 }),
      maxObjectBytes: fc.integer({ min: 1, max: 1e12 }),
      bytes: fc.integer({ min: 1, max: 8 << 20 }),
    }),
    maintenance: fc.record({ message: odd, retryAfterSeconds: fc.nat() }, { requiredKeys: ['message'] }),
    compressed: fc.subarray(['text/html', 'application/json', 'image/svg+xml'], { minLength: 1 }),
    requestId: token,
  },
  { requiredKeys: ['source'] },
)

const handling: fc.Arbitrary<Handling> = fc.record(
  {
    cors: fc.record({
      origins: fc.array(fc.oneof(odd, fc.constantFrom('*', 'https://*', 'http://*.example.com:80')), { maxLength: 70 }),
      credentials: fc.boolean(),
      methods: fc.array(fc.constantFrom('*', 'GET')),
      headers: fc.array(fc.oneof(token, fc.constant('*'))),
      exposed: fc.array(fc.oneof(token, fc.constant('*'))),
      maxAgeSeconds: fc.nat(),
    }),
    redirect: fc.record(
      {
        status: fc.constantFrom(301 as const, 302 as const, 303 as const, 307 as const, 308 as const),
        scheme: fc.constantFrom('http' as const, 'https' as const),
        host: odd,
        port: fc.integer({ min: 1, max: 65_535 }),
        path,
      },
      { requiredKeys: ['status', 'scheme', 'port'] },
    ),
    policies: fc.array(policy, { maxLength: 2 }),
    requestHeaders: changes,
    responseHeaders: changes,
    rewrite: fc.record({ host: odd, path }, { requiredKeys: [] }),
    mirrors: fc.array(fc.record({ backend: fc.constant('b0'), share: fc.double({ min: 0, max: 1, noNaN: true }) }), {
      maxLength: 2,
    }),
    timeoutMs: fc.integer({ min: 1, max: 1e9 }),
    retry: fc.record({ attempts: fc.nat({ max: 10 }), codes: fc.array(fc.integer({ min: 400, max: 599 })) }),
  },
  { requiredKeys: [] },
)
const named = fc.constantFrom('header' as const, 'cookie' as const, 'query' as const)
const balancing: fc.Arbitrary<Balancing> = fc.record(
  {
    source: fc.constant('BalancingPolicy shop/x'),
    choice: fc.oneof(
      fc.constantFrom('roundRobin' as const, 'leastConnections' as const, { by: 'address' as const }),
      fc.record({ by: named, name: token }),
    ),
    affinity: fc.record(
      { cookie: word, key: fc.constant('0a1b'), maxAgeSeconds: fc.integer({ min: 1, max: 31_536_000 }) },
      { requiredKeys: ['cookie', 'key'] },
    ),
    ejection: fc.record({
      errors: fc.integer({ min: 1, max: 1000 }),
      periodMs: fc.integer({ min: 1000, max: 3_600_000 }),
    }),
    slowStartMs: fc.integer({ min: 1000, max: 3_600_000 }),
    concurrency: fc.record(
      {
        perInstance: fc.integer({ min: 1, max: 100_000 }),
        mostWaiting: fc.integer({ min: 1, max: 100_000 }),
        waitMs: fc.integer({ min: 1, max: 3_600_000 }),
      },
      { requiredKeys: ['perInstance', 'waitMs'] },
    ),
  },
  { requiredKeys: ['source', 'choice'] },
)
const served = fc.record({
  protocol: fc.constantFrom('http' as const, 'h2' as const),
  balancing: fc.option(balancing, { nil: undefined }),
})
const match: fc.Arbitrary<Rule['match']> = fc.record({
  path: fc.constant({ kind: 'prefix' as const, value: '/' }),
  headers: fc.array(fc.record({ name: token, kind: fc.constant('exact' as const), value: odd }), { maxLength: 2 }),
  query: fc.array(fc.record({ name: token, kind: fc.constant('exact' as const), value: odd }), { maxLength: 2 }),
})

test.skipIf(isMissing)(
  `HAProxy takes whatever users write${isMissing ? ' (skipped: there is no haproxy)' : ''}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'sampan-haproxy-'))
    const places = {
      directory,
      socket: join(directory, 'socket'),
      mirrorSocket: join(directory, 'mirror'),
      logSocket: join(directory, 'log'),
      loginSocket: join(directory, 'logins'),
      successorDirectory: join(directory, 'next'),
    }
    try {
      fc.assert(
        fc.property(fc.array(fc.tuple(handling, match, served), { minLength: 10, maxLength: 20 }), all => {
          const files = filesOf(loaded(layoutOf(modelOf(all), places)))
          for (const [file, text] of files.others) writeFileSync(join(directory, file.split('/').at(-1)!), text)
          const configuration = files.configuration
            .replaceAll(`${directory}/maps/`, `${directory}/`)
            .replaceAll(`${directory}/certificates/`, `${directory}/`)
          writeFileSync(join(directory, 'haproxy.cfg'), configuration)
          const { status, stderr } = spawnSync(program, ['-c', '-f', join(directory, 'haproxy.cfg')], {
            encoding: 'utf8',
          })
          expect(stderr.replaceAll(/^\[NOTICE\].*\n/gm, '')).toBe('')
          expect(status).toBe(0)
        }),
        { numRuns: isThorough ? 2_000 : 25 },
      )
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
)

type Served = Pick<Backend, 'protocol'> & { readonly balancing?: Balancing | undefined }

function modelOf(all: readonly (readonly [Handling, Rule['match'], Served])[]): GatewayModel {
  const backends = all.map(([handled, , { protocol, balancing: shared }], index): Backend => ({
    id: `b${index}`,
    handling: handled,
    protocol,
    ...(shared !== undefined && { balancing: shared }),
    servers: [1, 2].map(last => ({ address: `10.0.0.${last}`, port: 80, draining: false })),
  }))
  const rules = all.map(([, matched], index): Rule => ({
    source: `rule ${index}`,
    match: matched,
    action: { shares: [{ backend: `b${index}`, weight: 1 }] },
  }))
  return {
    entrances: [{ address: '127.0.0.1', port: 80, hosts: [{ name: { kind: 'any' }, listener: '', rules }] }],
    backends: new Map(backends.map(backend => [backend.id, backend])),
    credentials: new Map([['key_1', new Map([['00', { name: 'ann', isRefused: false }]])]]),
    certificates: new Map(),
  }
}
