// Addresses and node ports as clients of a real API server in this process get them.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Service } from '../../api/generated/models.ts'
import { services } from '../../api/resources.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { startTestServer, type TestServer } from '../../testing/in-process-server.ts'

let server: TestServer
let store: MemoryStore
beforeEach(async () => {
  store = new MemoryStore()
  server = await startTestServer({ store })
})
afterEach(() => server.close())

let number = 0
const create = (spec: Partial<Service['spec']> = {}, options: { dryRun?: boolean } = {}): Promise<Service> =>
  server.local.create<Service>(services, { metadata: { name: `s${number++}`, namespace: 'default' }, spec: { ports: [{ port: 80 }], ...spec } }, options)
const update = (service: Service, spec: Partial<Service['spec']>): Promise<Service> => server.local.update<Service>(services, { ...service, spec: { ...service.spec, ...spec } })
const remove = ({ metadata: { name } }: Service): Promise<void> => server.local.delete(services, { namespace: 'default', name })
const failureOf = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'none', (error: unknown) => (error as Error).message)

describe('the address of a service', () => {
  test('is a free one of the range', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => create()))
    const addresses = made.map(({ spec }) => spec.clusterIP!)
    expect(new Set(addresses).size).toBe(50)
    expect(addresses.every(address => address.startsWith('10.43.'))).toBe(true)
    expect(made[0]!.spec).toMatchObject({ clusterIPs: [addresses[0]], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
  })

  test('may be asked for, once', async () => {
    expect((await create({ clusterIP: '10.43.0.10' })).spec.clusterIP).toBe('10.43.0.10')
    expect(await failureOf(create({ clusterIP: '10.43.0.10' }))).toContain('failed to allocate IP 10.43.0.10: provided IP is already allocated')
  })

  test('must be in the range', async () => {
    expect(await failureOf(create({ clusterIP: '192.0.2.1' }))).toContain('the provided IP (192.0.2.1) is not in the valid range. The range of valid IPs is 10.43.0.0/16')
  })

  test('is kept by updates', async () => {
    const service = await create()
    expect((await update(service, { clusterIP: service.spec.clusterIP!, ports: [{ port: 81 }] })).spec.clusterIP).toBe(service.spec.clusterIP)
  })

  test('is free again after the service', async () => {
    await remove(await create({ clusterIP: '10.43.0.10' }))
    expect((await create({ clusterIP: '10.43.0.10' })).spec.clusterIP).toBe('10.43.0.10')
  })

  test('is not taken by a dry run', async () => {
    await create({ clusterIP: '10.43.0.10' }, { dryRun: true })
    expect((await create({ clusterIP: '10.43.0.10' })).spec.clusterIP).toBe('10.43.0.10')
  })

  test('is not taken by a service that was refused', async () => {
    expect(await failureOf(create({ clusterIP: '10.43.0.10', type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }))).toContain('provided port is not in the valid range')
    expect((await create({ clusterIP: '10.43.0.10' })).spec.clusterIP).toBe('10.43.0.10')
  })

  test('is still taken after a dry run that was refused it', async () => {
    await create({ clusterIP: '10.43.0.10' })
    await failureOf(create({ clusterIP: '10.43.0.10' }, { dryRun: true }))
    expect(await failureOf(create({ clusterIP: '10.43.0.10' }))).toContain('already allocated')
  })

  test('does not exist for headless services and other names', async () => {
    expect((await create({ clusterIP: 'None' })).spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] })
    expect((await create({ type: 'ExternalName', externalName: 'example.com' })).spec.clusterIP).toBeFalsy()
  })

  test('is known again after a restart', async () => {
    await create({ clusterIP: '10.43.0.10', type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] })
    const again = await startTestServer({ store })
    const made = { metadata: { name: 'late', namespace: 'default' }, spec: { clusterIP: '10.43.0.10', type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] } }
    const message = await failureOf(again.local.create<Service>(services, made))
    expect(message).toContain('provided IP is already allocated')
    expect(message).toContain('provided port is already allocated')
    again.remote.close()
    await again.server.close()
  })
})

describe('a node port', () => {
  test('is a free one of its range', async () => {
    const service = await create({ type: 'NodePort', ports: [{ name: 'a', port: 80 }, { name: 'b', port: 81 }] })
    const ports = service.spec.ports!.map(({ nodePort }) => nodePort!)
    expect(new Set(ports).size).toBe(2)
    expect(ports.every(port => port >= 30_000 && port <= 32_767)).toBe(true)
  })

  test('may be asked for, once', async () => {
    await create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] })
    expect(await failureOf(create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] }))).toContain('spec.ports[0].nodePort: Invalid value: 30100: provided port is already allocated')
  })

  test('is kept by updates that do not name it', async () => {
    const service = await create({ type: 'NodePort' })
    const updated = await update(service, { ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }] })
    expect(updated.spec.ports![0]!.nodePort).toBe(service.spec.ports![0]!.nodePort)
  })

  test('is given when a service becomes one with node ports, and free when it is one no longer', async () => {
    const plain = await create()
    expect(plain.spec.ports![0]!.nodePort).toBeUndefined()
    const exposed = await update(plain, { type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] })
    expect(exposed.spec.ports![0]!.nodePort).toBe(30_100)
    await remove(exposed)
    expect((await create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] })).spec.ports![0]!.nodePort).toBe(30_100)
  })

  test('may be the same for TCP and UDP of one service', async () => {
    const both = await create({ type: 'NodePort', ports: [{ name: 't', port: 53, protocol: 'TCP', nodePort: 30_053 }, { name: 'u', port: 53, protocol: 'UDP', nodePort: 30_053 }] })
    expect(both.spec.ports!.map(({ nodePort }) => nodePort)).toEqual([30_053, 30_053])
  })
})
