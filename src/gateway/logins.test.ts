// Policies by which people log in, against the real API in process: what they say of themselves, and who answers.
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { accessPolicies, gateways } from '../api/gateway-api/resources.ts'
import type { AccessPolicy } from '../api/gateway-api/policies.ts'
import { offeredGateway } from '../api/gateway-names.ts'
import { secrets } from '../api/resources.ts'
import { eventually } from '../testing/eventually.ts'
import { IdentityProvider } from '../testing/identity-provider.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { startOfferedGateway } from '../testing/offered-gateway.ts'
import type { Gateway } from './gateway.ts'

let server: TestServer
let gateway: Gateway
let provider: IdentityProvider
let directory: string
let loginSocket: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sampan-logins-'))
  loginSocket = join(directory, 'logins.sock')
  server = await startTestServer()
  gateway = await startOfferedGateway(server.local, { directory, loginSocket, ownAuthority: () => undefined })
  provider = await IdentityProvider.start({ id: 'shop', secret: 'a secret' })
})
afterAll(async () => {
  await gateway?.stop()
  await server?.close()
  provider?.close()
  rmSync(directory, { recursive: true, force: true })
})

const { namespace } = offeredGateway
const policy = (name: string, authentication: object): Parameters<typeof server.local.create<AccessPolicy>>[1] => ({
  metadata: { namespace, name },
  spec: {
    targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: offeredGateway.name }],
    authentication,
  } as AccessPolicy['spec'],
})

async function conditions(name: string): Promise<readonly string[]> {
  const { status } = await server.local.get(accessPolicies, { namespace, name })
  return (status?.ancestors ?? [])
    .flatMap(each => each.conditions ?? [])
    .map(each => `${each.type} ${each.status} ${each.reason}`)
}

/** @returns the address to which it sends */
async function ask(path: string): Promise<{ readonly status: number; readonly location: string }> {
  const asking = request({ socketPath: loginSocket, path, headers: { host: 'shop.localhost' } }).end()
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  response.resume()
  return { status: response.statusCode!, location: response.headers.location ?? '' }
}

test('a policy says what it waits for, then that it is heeded, and its logins are answered', async () => {
  expect((await server.local.list(gateways)).items).toHaveLength(1)
  await server.local.create(
    accessPolicies,
    policy('staff', { oidc: { issuer: provider.issuer, clientID: 'shop', clientSecretRef: { name: 'client' } } }),
  )
  await eventually('what it waits for', async () =>
    (await conditions('staff')).includes('ResolvedRefs False InvalidClientSecret'),
  )
  await server.local.create(secrets, {
    metadata: { namespace, name: 'client' },
    stringData: { 'client-secret': 'a secret' },
  })
  await eventually('that it is heeded', async () =>
    (await conditions('staff')).includes('ResolvedRefs True ResolvedRefs'),
  )
  const made = await server.local.get(accessPolicies, { namespace, name: 'staff' })
  expect(made.spec.authentication?.oidc).toMatchObject({
    redirectPath: '/oauth2/callback',
    logoutPath: '/oauth2/logout',
    sessionDuration: '8h',
    consumerClaim: 'sub',
  })
  expect((await ask('/oauth2/callback/start?login=nobody&to=/')).status).toBe(404)
  expect((await ask('/oauth2/logout')).status).toBe(200)
})

test('tokens need the keys of their issuer, which are fetched', async () => {
  await server.local.create(accessPolicies, policy('tokens', { jwt: { issuer: provider.issuer } }))
  await eventually('the keys', async () => (await conditions('tokens')).includes('ResolvedRefs True ResolvedRefs'))
  expect(provider.asked).toContain('/keys')
})

test.each([
  [
    'both places of keys',
    { jwt: { issuer: 'i', keysRef: { name: 'a' }, jwksUri: 'https://a.example/keys' } },
    'not both',
  ],
  ['no place of keys, and an issuer without one', { jwt: { issuer: 'i' } }, 'issuer has to be an address'],
  ['an issuer that is no address', { oidc: { issuer: 'login', clientID: 'a' } }, 'issuer'],
  [
    'one path for two things',
    { oidc: { issuer: 'https://a.example', clientID: 'a', redirectPath: '/in', logoutPath: '/in' } },
    'redirectPath and logoutPath are two',
  ],
  ['no way at all', {}, 'expected keys, basic, jwt or oidc'],
])('%s is refused', async (_, authentication, message) => {
  await expect(server.local.create(accessPolicies, policy('wrong', authentication))).rejects.toThrow(message)
})
