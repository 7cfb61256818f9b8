// A class of Gateways against the real API in process: it stays as long as somebody uses it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gatewayClasses, gateways } from '../api/gateway-api/resources.ts'
import { gatewayClassName, offeredGateway } from '../api/gateway-names.ts'
import { eventually } from '../testing/eventually.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { startOfferedGateway } from '../testing/offered-gateway.ts'
import type { Gateway } from './gateway.ts'

let server: TestServer
let gateway: Gateway
beforeAll(async () => {
  server = await startTestServer()
  gateway = await startOfferedGateway(server.local)
})
afterAll(async () => {
  await gateway?.stop()
  await server?.close()
})

const finalizer = 'gateway-exists-finalizer.gateway.networking.k8s.io'
const finalizers = async (): Promise<readonly string[] | undefined> =>
  (await server.local.list(gatewayClasses)).items.find(({ metadata }) => metadata.name === gatewayClassName)?.metadata
    .finalizers

test('a class that a Gateway uses is kept, and goes with the last one', async () => {
  await eventually('the finalizer', async () => (await finalizers())?.includes(finalizer) === true)
  await server.local.delete(gatewayClasses, { name: gatewayClassName })
  const { metadata } = await server.local.get(gatewayClasses, { name: gatewayClassName })
  expect(metadata.deletionTimestamp).toBeDefined()
  await server.local.delete(gateways, offeredGateway)
  await eventually('the end of the class', async () => (await server.local.list(gatewayClasses)).items.length === 0)
})

test('one that nobody uses may go', async () => {
  const metadata = { name: 'unused' }
  await server.local.create(gatewayClasses, { metadata, spec: { controllerName: 'sampan.dev/gateway' } })
  await gateway.settled()
  await server.local.delete(gatewayClasses, metadata)
  expect((await server.local.list(gatewayClasses)).items).toEqual([])
})
