// Who comes in with which token, what nobody's requests may, and what happens to tokens that are over.
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAuditPolicy } from '../../src/api/audit-policy.ts'
import type { Secret } from '../../src/api/generated/models.ts'
import { configMaps, secrets, serviceAccounts } from '../../src/api/resources.ts'
import { startControllers } from '../../src/control/controller.ts'
import { bootstrapSigner } from '../../src/controllers/bootstrap-signer/bootstrap-signer.ts'
import { serviceAccountTokenController } from '../../src/controllers/serviceaccount-token/serviceaccount-token.ts'
import { tokenCleaner } from '../../src/controllers/token-cleaner/token-cleaner.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { systemRandom } from '../../src/main/system.ts'
import { createAuthority, signCertificate } from '../../src/server/auth/certificate-authority.ts'
import { readStaticTokens } from '../../src/server/auth/static-tokens.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { startTestServer, testKeys, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

const clock = new FakeClock(Date.now())
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
let server: TestServer
let provider: Server
let issuerUrl: string
let offered: object[] = []
let asked = 0

beforeAll(async () => {
  const keys = await testKeys()
  provider = createServer({ cert: keys.serving.certificate, key: keys.serving.key }, (request, response) => {
    asked++
    const body = request.url === '/keys' ? { keys: offered } : { issuer: issuerUrl, jwks_uri: `${issuerUrl}/keys` }
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => {
    provider.listen(0, '127.0.0.1', resolve)
  })
  issuerUrl = `https://127.0.0.1:${(provider.address() as AddressInfo).port}`
  server = await startTestServer({
    clock,
    staticTokens: readStaticTokens('secret-1,jane,42,"readers,writers"\n# a comment\n\n"secret, 2",joe,43\n'),
    oidc: {
      issuerUrl,
      clientId: 'sampan',
      usernameClaim: 'email',
      groupsClaim: 'groups',
      groupsPrefix: 'oidc:',
      requiredClaims: { hd: 'example.com' },
      authority: keys.authority.certificate,
      signingAlgorithms: ['ES256'],
    },
  })
  await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'robot' } })
})
afterAll(async () => {
  await server.close()
  provider.close()
})

const today = (): string => new Date(clock.now()).toISOString().slice(0, 10)
const withToken = (token: string, method = 'GET', path = '/api', body?: unknown): Promise<Answer> =>
  server.call(method, path, { anonymous: true, body, headers: { Authorization: `Bearer ${token}` } })
async function whoIs(token: string): Promise<{ username: string; uid?: string; groups: string[] } | number> {
  const { status, json } = await withToken(token, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {})
  return status === 201 ? json.status.userInfo : status
}

describe('without credentials', () => {
  const nobody = (path: string): Promise<Answer> => server.call('GET', path, { anonymous: true })

  test.each(['/healthz', '/livez', '/readyz', '/version'])('%s answers', async path => {
    expect((await nobody(path)).status).toBe(200)
  })

  test('everything else is forbidden', async () => {
    const refused = await nobody('/api/v1/namespaces/default/pods')
    expect([refused.status, refused.json.message]).toEqual([
      403,
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"',
    ])
    expect((await nobody('/livez/etcd')).json.message).toBe(
      'forbidden: User "system:anonymous" cannot get path "/livez/etcd"',
    )
    expect((await nobody('/metrics')).status).toBe(403)
    expect((await nobody('/apis')).status).toBe(403)
  })

  test('a wrong token, or a certificate of somebody else, is not nobody', async () => {
    expect((await withToken('wrong', 'GET', '/version')).status).toBe(401)
    const stranger = await signCertificate(
      await createAuthority('stranger', 1, Date.now()),
      { commonName: 'admin', organizations: ['system:masters'], usage: 'client', days: 1 },
      Date.now(),
    )
    expect((await server.call('GET', '/version', { certificate: stranger })).status).toBe(401)
  })
})

describe('a token from a file', () => {
  test('names user, uid and groups', async () => {
    expect(await whoIs('secret-1')).toEqual({
      username: 'jane',
      uid: '42',
      groups: ['readers', 'writers', 'system:authenticated'],
    })
    expect(await whoIs('secret, 2')).toEqual({ username: 'joe', uid: '43', groups: ['system:authenticated'] })
    expect(await whoIs('secret-3')).toBe(401)
  })

  test('a file that cannot be read says where, and shows no token', () => {
    expect(() => readStaticTokens('good,a,1\nsecret-9')).toThrow(
      'line 2: expected at least token,user,uid, found 1 field',
    )
    expect(() => readStaticTokens('a,"b,1')).toThrow(
      'line 1: expected fields separated by commas, in double quotes where they hold commas',
    )
    expect(() => readStaticTokens(',jane,1')).toThrow('line 1: expected token,user,uid,"group1,group2", found no token')
  })

  test('is known to a TokenReview', async () => {
    const review = async (audiences?: string[]): Promise<object> =>
      (
        await server.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
          body: { spec: { token: 'secret-1', audiences } },
        })
      ).json.status
    expect(await review()).toMatchObject({ authenticated: true, user: { username: 'jane' } })
    expect(await review(['somebody else'])).toMatchObject({ error: 'invalid bearer token' })
  })
})

async function bootstrapToken(id: string, values: Record<string, string> = {}): Promise<Secret> {
  const all: Record<string, string> = {
    'token-id': id,
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-authentication': 'true',
    ...values,
  }
  return server.local.create(secrets, {
    metadata: { namespace: 'kube-system', name: `bootstrap-token-${id}` },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(Object.entries(all).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  })
}

describe('a bootstrap token', () => {
  const at = (offsetMs: number): string => new Date(clock.now() + offsetMs).toISOString().replace(/\.\d+Z$/, 'Z')

  test('comes in as its groups', async () => {
    await bootstrapToken('aaaaaa', {
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      expiration: at(3_600_000),
    })
    expect(await whoIs('aaaaaa.0123456789abcdef')).toEqual({
      username: 'system:bootstrap:aaaaaa',
      groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
    })
    expect(await whoIs('aaaaaa.0123456789abcdee')).toBe(401)
    expect(await whoIs('zzzzzz.0123456789abcdef')).toBe(401)
  })

  test.each<[string, string, Record<string, string>]>([
    ['is over', 'bbbbbb', { expiration: '2020-01-01T00:00:00Z' }],
    ['has an end that cannot be read', 'cccccc', { expiration: 'tomorrow' }],
    ['is not for coming in', 'dddddd', { 'usage-bootstrap-authentication': 'false' }],
    ['wants a group of others', 'eeeeee', { 'auth-extra-groups': 'system:masters' }],
    ['names another id', 'ffffff', { 'token-id': 'gggggg' }],
  ])('stays outside when it %s', async (_why, id, values) => {
    await bootstrapToken(id, values)
    expect(await whoIs(`${id}.0123456789abcdef`)).toBe(401)
  })

  test('is deleted when it is over, and signs cluster-info meanwhile', async () => {
    const running = await startControllers([tokenCleaner, bootstrapSigner], {
      client: server.local,
      clock,
      random: systemRandom,
      logger: silentLogger,
    })
    const kubeconfig = 'apiVersion: v1\nkind: Config\n'
    await server.local.create(configMaps, {
      metadata: { namespace: 'kube-public', name: 'cluster-info' },
      data: { kubeconfig },
    })
    await bootstrapToken('hhhhhh', { expiration: at(60_000), 'usage-bootstrap-signing': 'true' })
    const info = (): Record<string, string> =>
      server.local.informer(configMaps).get({ namespace: 'kube-public', name: 'cluster-info' })?.data ?? {}
    await eventually('signature', () => info()['jws-kubeconfig-hhhhhh'] !== undefined)
    const [header = '', payload, signature] = info()['jws-kubeconfig-hhhhhh']!.split('.')
    expect([JSON.parse(Buffer.from(header, 'base64url').toString()), payload]).toEqual([
      { alg: 'HS256', kid: 'hhhhhh' },
      '',
    ])
    expect(signature).toBe(
      createHmac('sha256', '0123456789abcdef')
        .update(`${header}.${Buffer.from(kubeconfig).toString('base64url')}`)
        .digest('base64url'),
    )
    await clock.advance(61_000)
    await eventually(
      'token deleted',
      () =>
        server.local.informer(secrets).get({ namespace: 'kube-system', name: 'bootstrap-token-hhhhhh' }) === undefined,
    )
    await eventually('signature gone', () => info()['jws-kubeconfig-hhhhhh'] === undefined)
    await running.stop()
  })
})

describe('a token of an OpenID Connect provider', () => {
  const claims = { email: 'jane@example.com', email_verified: true, groups: ['devs'], hd: 'example.com' }
  const sign = (changes: JWTPayload = {}, kid = 'one', key = privateKey): Promise<string> => {
    const seconds = Math.floor(clock.now() / 1000)
    return new SignJWT({ ...claims, iss: issuerUrl, aud: 'sampan', exp: seconds + 3600, iat: seconds, ...changes })
      .setProtectedHeader({ alg: 'ES256', kid })
      .sign(key)
  }
  const published = (kid: string): object => ({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' })

  test('names the user by its claims; its keys are fetched once', async () => {
    offered = [published('one')]
    expect(await whoIs(await sign())).toEqual({
      username: 'jane@example.com',
      groups: ['oidc:devs', 'system:authenticated'],
    })
    expect(await whoIs(await sign({ groups: 'one' as never }))).toMatchObject({
      groups: ['oidc:one', 'system:authenticated'],
    })
    expect(asked).toBe(2)
  })

  test.each<[string, JWTPayload]>([
    ['for somebody else', { aud: 'other' }],
    ['that is over', { exp: 1 }],
    ['without an end', { exp: undefined }],
    ['without the required claim', { hd: undefined }],
    ['of an address that is not verified', { email_verified: false }],
    ['without a name', { email: undefined }],
    ['with groups of another shape', { groups: { a: 'b' } }],
  ])('is refused: one %s', async (_what, changes) => {
    expect(await whoIs(await sign(changes))).toBe(401)
  })

  test('is refused when another key signed it', async () => {
    expect(await whoIs(await sign({}, 'one', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey))).toBe(401)
    expect(await whoIs('eyJhbGciOiJub25lIn0.e30.')).toBe(401)
  })

  test('is good under a new key of the provider', async () => {
    offered = [published('two')]
    await clock.advance(11_000)
    expect(((await whoIs(await sign({}, 'two'))) as { username: string }).username).toBe('jane@example.com')
  })

  test('is refused, and others are not, while the provider cannot be reached', async () => {
    const cut = await startTestServer({
      clock,
      oidc: { issuerUrl: 'https://127.0.0.1:1', clientId: 'sampan', signingAlgorithms: ['ES256'] },
    })
    const lost = await sign({ iss: 'https://127.0.0.1:1' })
    expect(
      (await cut.call('GET', '/version', { anonymous: true, headers: { Authorization: `Bearer ${lost}` } })).status,
    ).toBe(401)
    expect((await cut.call('GET', '/version')).status).toBe(200)
    await cut.close()
  })
})

describe('service account tokens', () => {
  test('can be checked by others', async () => {
    const token = (
      await server.call('POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', { body: { spec: {} } })
    ).json.status.token
    const configuration = await withToken(token, 'GET', '/.well-known/openid-configuration')
    expect(configuration.json).toEqual({
      issuer: 'https://kubernetes.default.svc.cluster.local',
      jwks_uri: 'https://kubernetes.default.svc.cluster.local/openid/v1/jwks',
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    })
    const keys = await withToken(token, 'GET', '/openid/v1/jwks')
    expect(keys.headers['content-type']).toBe('application/jwk-set+json')
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys.json), { currentDate: new Date(clock.now()) })
    expect(payload.sub).toBe('system:serviceaccount:default:robot')
    expect((await server.call('GET', '/openid/v1/jwks', { anonymous: true })).status).toBe(403)
  })

  test('of the older sort are good as long as their Secret holds them', async () => {
    const running = await startControllers(
      [serviceAccountTokenController('the authority', facts => server.server.context.tokens.issueLegacy(facts))],
      { client: server.local, clock, random: systemRandom, logger: silentLogger },
    )
    await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'old' } })
    const name = { namespace: 'default', name: 'old-token' }
    await server.local.create(secrets, {
      metadata: { ...name, annotations: { 'kubernetes.io/service-account.name': 'old' } },
      type: 'kubernetes.io/service-account-token',
    })
    const filled = await eventually('token', () =>
      [server.local.informer(secrets).get(name)].find(secret => secret?.data?.['token'] !== undefined),
    )
    const text = (key: string): string => Buffer.from(filled.data![key]!, 'base64').toString()
    expect([text('ca.crt'), text('namespace')]).toEqual(['the authority', 'default'])
    expect(await whoIs(text('token'))).toMatchObject({
      username: 'system:serviceaccount:default:old',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    })
    await eventually(
      'the day of its use',
      () =>
        server.local.informer(secrets).get(name)?.metadata.labels?.['kubernetes.io/legacy-token-last-used'] === today(),
    )
    await server.local.delete(serviceAccounts, { namespace: 'default', name: 'old' })
    await eventually('secret gone', () => server.local.informer(secrets).get(name) === undefined)
    await clock.advance(11_000)
    expect(await whoIs(text('token'))).toBe(401)
    await running.stop()
  })
})

describe('tokens in Secrets', () => {
  const events: { stage: string; annotations?: Record<string, string> }[] = []
  const audited = (key: string): string | undefined =>
    events.findLast(({ annotations }) => annotations?.[`authentication.k8s.io/${key}`] !== undefined)?.annotations?.[
      `authentication.k8s.io/${key}`
    ]
  let own: TestServer
  beforeAll(async () => {
    own = await startTestServer({
      clock,
      audit: {
        policy: readAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'Metadata' }] }),
        sink: { append: line => void events.push(JSON.parse(line)), close: async () => {} },
      },
    })
  })
  afterAll(() => own.close())

  /** A Secret with a token of an account, which names it among its own or not. */
  async function legacyToken(name: string, { generated = false, labels = {} } = {}): Promise<string> {
    const account = await own.local.create(serviceAccounts, {
      metadata: { namespace: 'default', name },
      ...(generated && { secrets: [{ name }] }),
    })
    const token = await own.server.context.tokens.issueLegacy({
      namespace: 'default',
      account: { name, uid: account.metadata.uid },
      secretName: name,
    })
    await own.local.create(secrets, {
      metadata: { namespace: 'default', name, labels, annotations: { 'kubernetes.io/service-account.name': name } },
      type: 'kubernetes.io/service-account-token',
      data: { token: Buffer.from(token).toString('base64') },
    })
    return token
  }
  const ask = (token: string): Promise<Answer> =>
    own.call('GET', '/api', { anonymous: true, headers: { Authorization: `Bearer ${token}` } })
  const lastUsed = async (name: string): Promise<string | undefined> =>
    (await own.local.get(secrets, { namespace: 'default', name })).metadata.labels?.[
      'kubernetes.io/legacy-token-last-used'
    ]
  const uses = async (which: string): Promise<boolean> =>
    (await own.call('GET', '/metrics')).text.includes(`serviceaccount_${which}_token_uses_total 1\n`)

  test('that somebody made are noted', async () => {
    const answer = await ask(await legacyToken('manual'))
    expect([answer.status, answer.headers['warning']]).toEqual([200, undefined])
    await eventually('the audit log', () => audited('legacy-token-manual-secret') === 'manual')
    await eventually('the day of its use', async () => (await lastUsed('manual')) === today())
    expect(await uses('legacy_manual')).toBe(true)
  })

  test('that Kubernetes made come with a warning, each time', async () => {
    const token = await legacyToken('made')
    await own.local.patch(
      serviceAccounts,
      { namespace: 'default', name: 'made' },
      { type: 'merge', value: { secrets: [{ name: 'made' }] } },
    )
    for (let time = 0; time < 2; time++)
      expect((await ask(token)).headers['warning']).toBe(
        '299 - "Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens."',
      )
    await eventually('the audit log', () => audited('legacy-token-autogenerated-secret') === 'made')
    expect(await uses('legacy_auto')).toBe(true)
  })

  test('that were marked are refused, noted, and explained to who reviews them', async () => {
    const token = await legacyToken('over', { labels: { 'kubernetes.io/legacy-token-invalid-since': '2025-01-01' } })
    expect((await ask(token)).json).toMatchObject({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' })
    await eventually('the audit log', () => audited('legacy-token-invalidated') === 'over/default')
    await eventually('the day of its use', async () => (await lastUsed('over')) === today())
    const review = await own.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: { spec: { token } } })
    expect(review.json.status).toEqual({
      user: {},
      error:
        "the token in secret default/over for service account default/over has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the 'kubernetes.io/legacy-token-invalid-since' label from the secret to temporarily allow use of this token",
    })
    await own.local.patch(
      secrets,
      { namespace: 'default', name: 'over' },
      { type: 'merge', value: { metadata: { labels: { 'kubernetes.io/legacy-token-invalid-since': null } } } },
    )
    expect((await ask(token)).status).toBe(200)
  })

  test('are tracked since a day that is written down', async () => {
    const name = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }
    const since = async (): Promise<string | undefined> =>
      (await own.local.get(configMaps, name).catch(() => undefined))?.data?.['since']
    expect(await since()).toBe(today())
    await own.local.patch(configMaps, name, { type: 'merge', value: { data: { since: 'long ago' } } })
    await eventually('a date', async () => (await since()) === today())
    await own.local.delete(configMaps, name)
    await clock.advance(60_000)
    expect(await since()).toBeUndefined()
    await clock.advance(30 * 60_000)
    await eventually('the map is there again', async () => (await since()) === today())
  })
})
