// People who log in at a provider of OpenID Connect, and tokens whose keys the provider publishes: as a cluster has them, with
// real requests through the real HAProxy.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request, type IncomingMessage, type Server } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AccessPolicy } from '../../src/api/gateway-api/policies.ts'
import { Identities } from '../../src/gateway/identities.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { tellingService } from '../../src/testing/handled-requests.ts'
import { IdentityProvider } from '../../src/testing/identity-provider.ts'
import {
  accessPolicy,
  consumer,
  policedModel,
  trafficPolicy,
  type PolicedCluster,
} from '../../src/testing/policed-gateway.ts'
import { privateHaproxy, type PrivateHaproxy } from '../../src/testing/private-haproxy.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

/** Keeps cookies, and follows nothing by itself. */
class Browser {
  readonly cookies = new Map<string, string>()
  /** Of all that were set. */
  readonly attributes = new Set<string>()
  private readonly port: number

  constructor(port: number) {
    this.port = port
  }

  async get(path: string, headers: Record<string, string> = { accept: 'text/html' }): Promise<Answer> {
    const cookie = Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const asking = request({
      host: '127.0.0.1',
      port: this.port,
      path,
      agent: false,
      headers: { ...headers, host: `shop.localhost:${this.port}`, ...(cookie !== '' && { cookie }) },
    }).end()
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    for (const set of response.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set)!
      this.attributes.add(set.slice(set.indexOf('; Max-Age')).replace(/Max-Age=\d+/, 'Max-Age'))
      if (/Max-Age=0/.test(set)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return { status: response.statusCode!, location: response.headers.location, body: await text(response) }
  }

  /** Goes wherever it is sent, as long as it is sent on. */
  async visit(path: string): Promise<Answer & { readonly at: string }> {
    let at = path
    for (let count = 0; count < 8; count++) {
      const answer = await this.get(at)
      if (answer.location === undefined) return { ...answer, at }
      at = await this.backFrom(answer.location)
    }
    throw new Error(`sent around: ${at}`)
  }

  /** Through the provider, if it leads there. */
  async backFrom(location: string): Promise<string> {
    const isHere = (url: URL): boolean => url.host === `shop.localhost:${this.port}`
    let url = new URL(location, `http://shop.localhost:${this.port}`)
    while (!isHere(url)) {
      const answer = await fetch(url, { redirect: 'manual' })
      url = new URL(answer.headers.get('location')!)
    }
    return `${url.pathname}${url.search}`
  }
}

describe.skipIf(reason !== undefined)(`logins${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let haproxy: PrivateHaproxy
  let service: Server & { readonly port: number }
  let provider: IdentityProvider
  let identities: Identities
  let browser: Browser
  let changes = 0
  const directory = mkdtempSync(join(tmpdir(), 'sampan-logins-'))

  const oidc = (more: object = {}): AccessPolicy =>
    accessPolicy('login', 'app', {
      authentication: {
        oidc: {
          issuer: provider.issuer,
          clientID: 'shop',
          clientSecretRef: { name: 'client' },
          redirectPath: '/oauth2/callback',
          logoutPath: '/oauth2/logout',
          sessionDuration: '8h',
          consumerClaim: 'sub',
          ...more,
        },
      },
    })
  const token = (more: object = {}): AccessPolicy =>
    accessPolicy('token', 'api', {
      authentication: { jwt: { issuer: provider.issuer, audiences: ['shop'], consumerClaim: 'sub', ...more } },
    })

  async function bring(more: Partial<PolicedCluster> = {}): Promise<ReturnType<typeof policedModel>> {
    const accessPolicies = more.accessPolicies ?? [oidc(), token()]
    const made = policedModel(haproxy.port, service.port, {
      rules: { app: {}, api: {} },
      secrets: { client: { 'client-secret': 'a secret' } },
      ...more,
      accessPolicies,
      more: {
        fetchedKeys: source => identities.fetchedKeys(source),
        sessionKey: identities.sessionKey(accessPolicies),
        ...more.more,
      },
    })
    await identities.serve(made.policing.logins)
    await haproxy.haproxy.bring(made.model)
    return made
  }

  beforeAll(async () => {
    service = await tellingService()
    haproxy = await privateHaproxy()
    provider = await IdentityProvider.start({ id: 'shop', secret: 'a secret' })
    identities = new Identities({
      directory,
      loginSocket: haproxy.loginSocket,
      ownAuthority: () => undefined,
      serviceAddress: () => undefined,
      clock: machineClock,
      logger: silentLogger,
      changed: () => void changes++,
    })
    await bring()
    await eventually('other keys', () => changes > 0)
    await bring()
  })
  afterAll(async () => {
    await haproxy?.close()
    await identities?.stop()
    service?.close()
    provider?.close()
    rmSync(directory, { recursive: true, force: true })
  })
  beforeEach(() => {
    browser = new Browser(haproxy.port)
    provider.user = { sub: 'ann', groups: ['staff', 'all'] }
  })

  const toldTo = ({ body }: Answer): { url: string; headers: Record<string, string> } => JSON.parse(body)

  test('who is not logged in is sent to the provider, and comes back to where they wanted to go', async () => {
    const answer = await browser.visit('/app/orders?page=2&q=a%20b')
    expect([answer.status, answer.at]).toEqual([200, '/app/orders?page=2&q=a%20b'])
    expect(toldTo(answer).headers['x-consumer-name']).toBe('ann')
    expect(toldTo(answer).headers).not.toHaveProperty('cookie')
    browser.cookies.set('own', 'a=b')
    expect(toldTo(await browser.get('/app')).headers).toMatchObject({ cookie: 'own=a=b' })
    expect([...browser.attributes]).toEqual(['; Max-Age; HttpOnly; SameSite=Lax'])
    const again = await browser.get('/app/other')
    expect([again.status, toldTo(again).headers['x-consumer-name']]).toEqual([200, 'ann'])
  })

  test('programs are told that they have to log in, and sent nowhere', async () => {
    expect(await browser.get('/app', { accept: 'application/json' })).toMatchObject({
      status: 401,
      location: undefined,
    })
  })

  test('a session is good for nothing but what it was made for', async () => {
    await browser.visit('/app')
    const [[, session]] = [...browser.cookies].filter(([name]) => name.startsWith('sampan-session-')) as [
      [string, string],
    ]
    const api = await browser.get('/api', { authorization: `Bearer ${session}` })
    expect(api.status).toBe(401)
  })

  test.each([
    ['another site', 'https://evil.example/'],
    ['another site without a scheme', '//evil.example/'],
    ['another site behind a backslash', '/\\evil.example/'],
    ['another site behind a dot', '/.//evil.example/'],
    ['another site behind an encoded dot', '/%2e//evil.example/'],
    ['another site behind dots', '/x/..//evil.example/a?b'],
    ['an address that is too long', `/${'a'.repeat(3000)}`],
  ])('nobody is sent to %s after the login', async (_, to) => {
    const start = (await browser.get('/app')).location!
    const begun = await browser.get(`${start.slice(0, start.indexOf('&to='))}&to=${encodeURIComponent(to)}`)
    const ended = await browser.get(await browser.backFrom(begun.location!))
    expect(ended.location).toBe('/')
  })

  test('a login that another browser began is none', async () => {
    const begun = await browser.get((await browser.get('/app')).location!)
    const back = await browser.backFrom(begun.location!)
    const other = new Browser(haproxy.port)
    expect((await other.get(back)).status).toBe(400)
    expect(other.cookies.size).toBe(0)
    expect((await browser.get(back)).status).toBe(302)
  })

  test('an answer of the provider is good once', async () => {
    const begun = await browser.get((await browser.get('/app')).location!)
    const back = await browser.backFrom(begun.location!)
    expect((await browser.get(back)).status).toBe(302)
    expect((await browser.get(back)).status).toBe(400)
  })

  test('whom the provider refuses is told so, in words that are no page', async () => {
    provider.user = undefined
    const answer = await browser.visit('/app')
    expect(answer.status).toBe(403)
    expect(answer.body).toContain('&lt;b&gt;not today&lt;/b&gt;')
  })

  test('who logs out is logged out here and there', async () => {
    await browser.visit('/app')
    expect(await browser.get('/oauth2/logout')).toMatchObject({
      status: 302,
      location: expect.stringMatching(`^${provider.issuer}/logout`),
    })
    expect((await browser.get('/app', { accept: '*/*' })).status).toBe(401)
  })

  test('claims and groups decide who is let in, also of those who are logged in', async () => {
    await browser.visit('/app')
    await bring({ accessPolicies: [oidc({ claims: { groups: ['staff', 'bosses'] } }), token()] })
    // The session does not say what is asked for now: one look at the provider brings it.
    expect((await browser.visit('/app')).status).toBe(200)
    const other = new Browser(haproxy.port)
    provider.user = { sub: 'bob', groups: ['all'] }
    expect(await other.visit('/app')).toMatchObject({ status: 403, body: expect.stringContaining('your groups') })
    const members = oidc()
    members.spec.groups = ['members']
    await bring({ accessPolicies: [members, token()], consumers: [consumer('bob', [], ['members'])] })
    expect((await other.visit('/app')).status).toBe(200)
    expect((await browser.visit('/app')).status).toBe(403)
    await bring()
  })

  test('who may not ask may not log in either', async () => {
    const start = (await browser.get('/app')).location!
    const far = oidc()
    far.spec.addresses = { allow: ['10.0.0.0/8'] }
    await bring({ accessPolicies: [far, token()] })
    expect([(await browser.get(start)).status, (await browser.get('/oauth2/logout')).status]).toEqual([403, 403])
    await bring({
      trafficPolicies: [trafficPolicy('few', 'app', { rateLimits: [{ requests: 2, per: '1h', by: 'Address' }] })],
    })
    const statuses: number[] = []
    for (let count = 0; count < 3; count++) statuses.push((await browser.get(start)).status)
    expect(statuses).toEqual([302, 302, 429])
    await bring()
  })

  test('somebody whose name is too long is told so', async () => {
    provider.user = { sub: 'a'.repeat(300) }
    expect(await browser.visit('/app')).toMatchObject({ status: 403, body: expect.stringContaining('longer than 256') })
  })

  test('a session ends with what it was made for', async () => {
    await browser.visit('/app')
    await bring({ accessPolicies: [oidc({ consumerClaim: 'email' }), token()] })
    expect((await browser.get('/app', { accept: '*/*' })).status).toBe(401)
    await bring()
  })

  test('without what the login needs nobody is let in, and the policy says why', async () => {
    const made = await bring({ secrets: {} })
    expect(made.policing.own[0]!.findings.map(({ message }) => message)).toEqual([
      'expected client-secret in the Secret "client", there is no such Secret',
    ])
    expect((await browser.visit('/app')).status).toBe(404)
    await bring()
  })

  test('sessions outlive the gateway’s own process', async () => {
    await browser.visit('/app')
    const later = new Identities({
      directory,
      loginSocket: `${haproxy.loginSocket}.later`,
      ownAuthority: () => undefined,
      serviceAddress: () => undefined,
      clock: machineClock,
      logger: silentLogger,
      changed: () => {},
    })
    const key = later.sessionKey([oidc()])
    await bring({ more: { sessionKey: key } })
    expect((await browser.get('/app')).status).toBe(200)
    await later.stop()
  })

  test('tokens are verified by the keys that their issuer publishes, and by later ones', async () => {
    const asked = async (): Promise<number> =>
      (await browser.get('/api', { authorization: `Bearer ${await provider.token({ sub: 'ann' })}` })).status
    expect(await asked()).toBe(200)
    provider.rotate()
    expect(await asked()).toBe(401)
    // As it is some minutes later.
    const before = changes
    await identities.stop()
    await bring()
    await eventually('other keys', () => changes > before)
    await bring()
    expect(await asked()).toBe(200)
  })

  test('keys that cannot be fetched are told, and no token is good by them', async () => {
    const away = token({ jwksUri: 'http://127.0.0.1:1/keys' })
    const before = changes
    await bring({ accessPolicies: [oidc(), away] })
    await eventually('other keys', () => changes > before)
    const made = await bring({ accessPolicies: [oidc(), away] })
    expect(made.policing.own[1]!.findings[0]!.message).toMatch(
      /^the keys of http:\/\/127\.0\.0\.1:1\/keys could not be fetched: .*ECONNREFUSED/,
    )
    expect(
      (await browser.get('/api', { authorization: `Bearer ${await provider.token({ sub: 'ann' })}` })).status,
    ).toBe(401)
    await bring()
  })

  test('a provider that cannot be reached is told', async () => {
    const away = oidc({ issuer: 'http://127.0.0.1:1' })
    const before = changes
    await bring({ accessPolicies: [away, token()] })
    await eventually('what is wrong', () => changes > before)
    const made = await bring({ accessPolicies: [away, token()] })
    expect(made.policing.own[0]!.findings[0]!.message).toMatch(
      /^nobody can log in at http:\/\/127.0.0.1:1: .*ECONNREFUSED/,
    )
    const answer = await browser.visit('/app')
    expect([answer.status, answer.body]).toEqual([502, expect.stringContaining('ECONNREFUSED')])
    await bring()
  })

  test('nobody is asked without TLS who is somewhere else', async () => {
    const made = await bring({ accessPolicies: [oidc({ issuer: 'http://login.example.com' }), token()] })
    expect(made.policing.own[0]!.findings[0]!.message).toMatch(/^issuer: expected https/)
    await bring()
  })
})
