import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CustomResourceDefinition } from '../api/generated/models.ts'
import { customResourceDefinitions } from '../api/resources.ts'
import { machineClock } from '../host/machine-clock.ts'
import { silentLogger, type Logger } from '../lib/logger.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { installKinds } from './install-kinds.ts'
import { gatewayDefinitions } from './kinds/all.ts'
import { bundleVersionAnnotation } from './kinds/bundle.ts'
import { gateways } from '../api/gateway-api/resources.ts'

let server: TestServer
beforeEach(async () => {
  server = await startTestServer()
})
afterEach(() => server.close())

const installed = async (): Promise<CustomResourceDefinition[]> =>
  (await server.local.list(customResourceDefinitions)).items
const revisions = async (): Promise<unknown[]> => (await installed()).map(({ metadata }) => metadata.resourceVersion)

const install = async (): Promise<unknown[]> => {
  const warnings: unknown[] = []
  const logger: Logger = { ...silentLogger, warn: (...what) => void warnings.push(what) }
  await installKinds({ client: server.local, clock: machineClock, logger })
  return warnings
}

test('all kinds are served when it is done', async () => {
  expect(await install()).toEqual([])
  expect((await installed()).map(({ metadata }) => metadata.name).toSorted()).toEqual(
    gatewayDefinitions.map(({ metadata }) => metadata.name).toSorted(),
  )
  const created = await server.local.create(gateways, {
    metadata: { namespace: 'default', name: 'web' },
    spec: {
      gatewayClassName: 'ours',
      listeners: [{ name: 'web', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
    },
  })
  expect(created.status?.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual([
    'Accepted Unknown',
    'Programmed Unknown',
  ])
})

test('another time nothing is written', async () => {
  await install()
  const before = await revisions()
  expect(await install()).toEqual([])
  expect(await revisions()).toEqual(before)
})

const names = ['gateways.gateway.networking.k8s.io', 'httproutes.gateway.networking.k8s.io'] as const
const [definition, other] = names.map(name => gatewayDefinitions.find(({ metadata }) => metadata.name === name)!)

const there = (version: string): Promise<CustomResourceDefinition> =>
  server.local.create(customResourceDefinitions, {
    ...definition!,
    metadata: {
      ...definition!.metadata,
      annotations: { ...definition!.metadata.annotations, [bundleVersionAnnotation]: version },
    },
    spec: { ...definition!.spec, names: { ...definition!.spec.names, shortNames: ['older'] } },
  })
const after = (): Promise<CustomResourceDefinition> => server.local.get(customResourceDefinitions, { name: names[0] })

test('an older one is replaced', async () => {
  await there('v1.5.1')
  expect(await install()).toEqual([])
  const { metadata, spec } = await after()
  expect(metadata.annotations?.[bundleVersionAnnotation]).toBe('v1.6.1')
  expect(spec.names.shortNames).toEqual(['gtw'])
})

test('a newer one stays, and the others come beside it', async () => {
  await there('v1.7.0')
  expect(await install()).toEqual([])
  expect((await after()).spec.names.shortNames).toEqual(['older'])
  expect(await installed()).toHaveLength(gatewayDefinitions.length)
})

test('one that is refused keeps no other away', async () => {
  const { versions } = other!.spec
  await server.local.create(customResourceDefinitions, {
    ...other!,
    metadata: {
      ...other!.metadata,
      annotations: { ...other!.metadata.annotations, [bundleVersionAnnotation]: 'v0.5.0' },
    },
    // Objects are stored in it, so that it may not go.
    spec: { ...other!.spec, versions: [{ ...versions[0]!, name: 'v1alpha2' }] },
  })
  expect(await install()).toEqual([
    ['a kind of the Gateway API could not be installed', expect.objectContaining({ name: names[1] })],
  ])
  expect(await installed()).toHaveLength(gatewayDefinitions.length)
})
