// The gateway against the real API in process, with a double in place of HAProxy.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gatewayController } from '../api/gateway-names.ts'
import { events, ingressClasses, ingresses, secrets, services } from '../api/resources.ts'
import { machineClock } from '../host/machine-clock.ts'
import { eventually } from '../testing/eventually.ts'
import { createAuthority } from '../server/auth/certificate-authority.ts'
import { noAccessLog, noIdentities } from '../testing/offered-gateway.ts'
import { tlsSecret, type TlsSecret } from '../testing/tls-secret.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { silentLogger } from '../lib/logger.ts'
import { startGateway, type Gateway } from './gateway.ts'
import { ConfigurationRefused } from './haproxy/haproxy.ts'
import { textOfHost } from './model/host-names.ts'
import type { GatewayModel } from './model/model.ts'

let server: TestServer
let gateway: Gateway
let problem: Error | undefined
let vouchProblem: Error | undefined
const brought: GatewayModel[] = []
beforeAll(async () => {
  server = await startTestServer()
  await server.local.create(ingressClasses, { metadata: { name: 'sampan' }, spec: { controller: gatewayController } })
  gateway = startGateway({
    client: server.local,
    haproxy: {
      bring: async model => {
        if (problem !== undefined) throw problem
        const refused = refusalOf(model)
        if (refused !== undefined) throw new ConfigurationRefused(refused)
        brought.push(model)
        return 'commands'
      },
      leave: () => {},
      listensAt: () => new Set(),
      refusal: async model => refusalOf(model),
    },
    front: { address: '127.0.0.1', port: 80, securePort: 443, ownAddresses: ['127.7.0.1'] },
    want: () => {},
    leadPackets: () => Promise.resolve(),
    vouch: async names => {
      if (vouchProblem !== undefined) throw vouchProblem
      return new Map(names.map(each => [each, `own ${each}`]))
    },
    identities: noIdentities,
    accessLog: noAccessLog,
    kinds: Promise.resolve([]),
    machineAddresses: () => new Set(),
    clock: machineClock,
    logger: silentLogger,
  })
})
afterAll(async () => {
  await gateway?.stop()
  await server?.close()
})

const hostsOf = ({ entrances }: GatewayModel): string[] =>
  entrances.flatMap(({ hosts }) => hosts.filter(({ rules }) => rules.length > 0).map(each => textOfHost(each.name)))

const refusalOf = (model: GatewayModel): string | undefined =>
  hostsOf(model).includes('bad.localhost') ? '[ALERT] (1) : config : parsing [haproxy.cfg:7] : what is bad' : undefined

const name = { namespace: 'default', name: 'shop' }
const create = (): Promise<unknown> =>
  server.local.create(ingresses, {
    metadata: name,
    spec: { ingressClassName: 'sampan', defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  })

test('nothing is served for a cluster without routes', async () => {
  await gateway.settled()
  expect(brought).toEqual([])
})

test('a Service of the type LoadBalancer alone is served', async () => {
  const service = { namespace: 'default', name: 'balanced' }
  await server.local.create(services, { metadata: service, spec: { type: 'LoadBalancer', ports: [{ port: 5432 }] } })
  await eventually('its entrance', () =>
    (brought.at(-1)?.entrances ?? []).some(({ address, port }) => address === '127.7.0.1' && port === 5432),
  )
  await server.local.delete(services, service)
})

test('what cannot be served is told by an event and as trouble, once, and is served when that has gone', async () => {
  problem = new Error('port 80 of 127.0.0.1 is in use by another program')
  await create()
  await eventually('the trouble', () => gateway.trouble === problem?.message)
  const told = async (): Promise<readonly (string | undefined)[]> =>
    (await server.local.list(events, { namespace: 'default' })).items
      .filter(({ reason }) => reason === 'NotServed')
      .map(({ message, count }) => `${message} ${count}`)
  await eventually('the event', async () => (await told()).length > 0)
  expect((await server.local.get(ingresses, name)).status.loadBalancer).toEqual({})
  problem = undefined
  await eventually('it is served', () => gateway.trouble === undefined && brought.length > 0, 10_000)
  await eventually(
    'its address',
    async () => (await server.local.get(ingresses, name)).status.loadBalancer?.ingress?.[0]?.ip === '127.0.0.1',
  )
  expect(await told()).toEqual(['port 80 of 127.0.0.1 is in use by another program 1'])
})

test('certificates are those of Secrets that Ingresses name, as they are by now', async () => {
  const authority = await createAuthority('test', 10, Date.now())
  const pemShown = (): string | undefined => brought.at(-1)?.certificates.get('default.web-tls')?.pem
  const renew = async (): Promise<TlsSecret> => tlsSecret(authority, 'web-tls', ['shop.test'])
  const first = await renew()
  await server.local.patch(ingresses, name, {
    type: 'merge',
    value: { spec: { tls: [{ hosts: ['shop.test'], secretName: 'web-tls' }] } },
  })
  const told = async (): Promise<readonly (string | undefined)[]> =>
    (await server.local.list(events, { namespace: 'default' })).items.map(({ message }) => message)
  await eventually('it is missed', async () =>
    (await told()).some(
      message => message?.startsWith('there is no Secret "web-tls" in the namespace default') === true,
    ),
  )
  await server.local.create(secrets, first)
  await eventually('it is shown', () => pemShown() !== undefined)
  const before = pemShown()
  await server.local.patch(secrets, first.metadata, { type: 'merge', value: { data: (await renew()).data } })
  await eventually('the next one is shown', () => pemShown() !== before)
  const { status } = await server.local.get(ingresses, name)
  expect(status.loadBalancer?.ingress?.[0]?.ports?.map(({ port }) => port)).toEqual([80, 443])
})

test('what nobody vouches for is told, and all else is served', async () => {
  vouchProblem = new Error('the disk is full')
  const before = brought.length
  await server.local.patch(ingresses, name, {
    type: 'merge',
    value: { spec: { tls: [], rules: [{ host: 'new.localhost' }] } },
  })
  await eventually('the trouble', () => gateway.trouble === 'the disk is full')
  const { certificates, entrances } = brought.slice(before).at(-1)!
  expect([entrances.length, [...certificates.keys()]]).toEqual([2, ['own_localhost']])
  vouchProblem = undefined
  await eventually('it is served', () => gateway.trouble === undefined, 10_000)
  expect([...brought.at(-1)!.certificates.keys()]).toEqual(['own_localhost', 'own_new.localhost'])
})

test('rules that HAProxy refuses are left out and told, and the others are served', async () => {
  const rule = (host: string): object => ({
    host,
    http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
  })
  const ingress = (which: string, host: string): Promise<unknown> =>
    server.local.create(ingresses, {
      metadata: { namespace: 'default', name: which },
      spec: { ingressClassName: 'sampan', rules: [rule(host)] },
    } as never)
  const messages = async (): Promise<readonly (string | undefined)[]> =>
    (await server.local.list(events, { namespace: 'default' })).items
      .filter(({ involvedObject }) => involvedObject.name === 'bad')
      .map(({ message }) => message)
  await ingress('good', 'good.localhost')
  await ingress('bad', 'bad.localhost')
  await ingress('later', 'later.localhost')
  await eventually('the later one', () => hostsOf(brought.at(-1)!).includes('later.localhost'))
  expect(hostsOf(brought.at(-1)!)).toContain('good.localhost')
  expect(hostsOf(brought.at(-1)!)).not.toContain('bad.localhost')
  expect(gateway.trouble).toBeUndefined()
  await eventually('the event', async () => (await messages()).includes('HAProxy does not take it: what is bad'))
  await server.local.patch(
    ingresses,
    { namespace: 'default', name: 'bad' },
    { type: 'merge', value: { spec: { rules: [rule('mended.localhost')] } } },
  )
  await eventually('the mended one', () => hostsOf(brought.at(-1)!).includes('mended.localhost'))
})
