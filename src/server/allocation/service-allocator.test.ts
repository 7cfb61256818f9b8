// Addresses and node ports as clients of a real API server in this process get them.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Service, ServiceCIDR } from '../../api/generated/models.ts'
import { events, ipAddresses, serviceCidrs, services } from '../../api/resources.ts'
import { startControllers } from '../../control/controller.ts'
import { serviceCidrController } from '../../controllers/service-cidrs/service-cidrs.ts'
import { silentLogger } from '../../lib/logger.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { eventually } from '../../testing/eventually.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { startTestServer, type TestServer } from '../../testing/in-process-server.ts'
import { addressHolding, makeHolding, nodePortAllocations, portHolding } from './holdings.ts'

let server: TestServer
let store: MemoryStore
beforeEach(async () => {
  store = new MemoryStore()
  server = await startTestServer({ store })
})
afterEach(() => server.close())

let number = 0
const create = (spec: Partial<Service['spec']> = {}, options: { dryRun?: boolean } = {}): Promise<Service> =>
  server.local.create<Service>(
    services,
    { metadata: { name: `s${number++}`, namespace: 'default' }, spec: { ports: [{ port: 80 }], ...spec } },
    options,
  )
const update = (service: Service, spec: Partial<Service['spec']>): Promise<Service> =>
  server.local.update<Service>(services, { ...service, spec: { ...service.spec, ...spec } })
const remove = ({ metadata: { name } }: Service): Promise<void> =>
  server.local.delete(services, { namespace: 'default', name })
const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  )

describe('the address of a service', () => {
  test('is a free one of the range', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => create()))
    const addresses = made.map(({ spec }) => spec.clusterIP!)
    expect(new Set(addresses).size).toBe(50)
    expect(addresses.every(address => address.startsWith('10.43.'))).toBe(true)
    expect(made[0]!.spec).toMatchObject({
      clusterIPs: [addresses[0]],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    })
  })

  test('may be asked for, once', async () => {
    expect((await create({ clusterIP: '10.43.0.10' })).spec.clusterIP).toBe('10.43.0.10')
    expect(await failureOf(create({ clusterIP: '10.43.0.10' }))).toContain(
      'failed to allocate IP 10.43.0.10: provided IP is already allocated',
    )
  })

  test('must be in the range', async () => {
    expect(await failureOf(create({ clusterIP: '192.0.2.1' }))).toContain(
      'failed to allocate IP 192.0.2.1: the provided network does not match the current range',
    )
  })

  test('is kept by updates', async () => {
    const service = await create()
    expect((await update(service, { clusterIP: service.spec.clusterIP!, ports: [{ port: 81 }] })).spec.clusterIP).toBe(
      service.spec.clusterIP,
    )
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
    expect(
      await failureOf(create({ clusterIP: '10.43.0.10', type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })),
    ).toContain('provided port is not in the valid range')
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
    const made = {
      metadata: { name: 'late', namespace: 'default' },
      spec: { clusterIP: '10.43.0.10', type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] },
    }
    const message = await failureOf(again.local.create<Service>(services, made))
    expect(message).toContain('provided IP is already allocated')
    expect(message).toContain('provided port is already allocated')
    again.remote.close()
    await again.server.close()
  })
})

describe('a node port', () => {
  test('is a free one of its range', async () => {
    const service = await create({
      type: 'NodePort',
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
    })
    const ports = service.spec.ports!.map(({ nodePort }) => nodePort!)
    expect(new Set(ports).size).toBe(2)
    expect(ports.every(port => port >= 30_000 && port <= 32_767)).toBe(true)
  })

  test('may be asked for, once', async () => {
    await create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] })
    expect(await failureOf(create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] }))).toContain(
      'spec.ports[0].nodePort: Invalid value: 30100: provided port is already allocated',
    )
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
    expect((await create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] })).spec.ports![0]!.nodePort).toBe(
      30_100,
    )
  })

  test('goes with the type, also where the one that was asked for was left out and another port keeps its own', async () => {
    const asked = { name: 'http', port: 80, protocol: 'TCP' } as const
    const exposed = await create({
      type: 'NodePort',
      ports: [
        { ...asked, nodePort: 30_100 },
        { name: 'a', port: 81 },
      ],
    })
    const closed = await update(exposed, { type: 'ClusterIP', ports: [asked, exposed.spec.ports![1]!] })
    expect(closed.spec.ports!.map(({ nodePort }) => nodePort)).toEqual([undefined, undefined])
    const again = await update(closed, { type: 'NodePort' })
    // None that is given at random: what is what the service has goes with the type.
    const meant = update(again, { type: 'ClusterIP', ports: [{ ...asked, nodePort: 30_005 }] })
    expect(await failureOf(meant)).toContain("may not be used when `type` is 'ClusterIP'")
  })

  test('may be the same for TCP and UDP of one service', async () => {
    const both = await create({
      type: 'NodePort',
      ports: [
        { name: 't', port: 53, protocol: 'TCP', nodePort: 30_053 },
        { name: 'u', port: 53, protocol: 'UDP', nodePort: 30_053 },
      ],
    })
    expect(both.spec.ports!.map(({ nodePort }) => nodePort)).toEqual([30_053, 30_053])
  })
})

const parentOf = async (address: string): Promise<unknown> =>
  (await server.local.get(ipAddresses, { name: address })).spec.parentRef
const addresses = async (): Promise<string[]> =>
  (await server.local.list(ipAddresses)).items.map(({ metadata }) => metadata.name)
const holdings = (): number => server.server.context.storage.cache(nodePortAllocations).size

describe('what is taken is noted in the store', () => {
  test('as an IPAddress that goes with its service', async () => {
    const made = await create({ clusterIP: '10.43.0.10' })
    const address = await server.local.get(ipAddresses, { name: '10.43.0.10' })
    expect(address.metadata.labels).toEqual({
      'ipaddress.kubernetes.io/ip-family': 'IPv4',
      'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    })
    expect(address.spec.parentRef).toEqual({
      group: '',
      resource: 'services',
      namespace: 'default',
      name: made.metadata.name,
    })
    await update(made, { type: 'ExternalName', externalName: 'example.com', clusterIP: '', clusterIPs: [] })
    expect(await addresses()).toEqual([])
  })

  test('and nothing is left of a dry run, a refused service or a name that was taken', async () => {
    const made = await create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] })
    await create({ type: 'NodePort' }, { dryRun: true })
    await failureOf(create({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }))
    await failureOf(
      server.local.create<Service>(services, {
        metadata: { name: made.metadata.name, namespace: 'default' },
        spec: { type: 'NodePort', ports: [{ port: 80 }] },
      }),
    )
    expect([await addresses(), holdings()]).toEqual([[made.spec.clusterIP], 1])
    await update(made, { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP' }] })
    expect(holdings()).toBe(0)
    await remove(made)
    expect(await addresses()).toEqual([])
  })

  test('for a port of one number in any protocol', async () => {
    await create({ type: 'NodePort', ports: [{ port: 53, protocol: 'UDP', nodePort: 30_053 }] })
    expect(
      await failureOf(create({ type: 'NodePort', ports: [{ port: 53, protocol: 'TCP', nodePort: 30_053 }] })),
    ).toContain('provided port is already allocated')
    const both = await create({
      type: 'NodePort',
      ports: [
        { name: 't', port: 53, protocol: 'TCP' },
        { name: 'u', port: 53, protocol: 'UDP' },
      ],
    })
    expect(new Set(both.spec.ports!.map(({ nodePort }) => nodePort)).size).toBe(1)
  })

  test('so that two servers on one store never give out the same', async () => {
    const second = await startTestServer({ store })
    const made = await Promise.all(
      Array.from({ length: 200 }, (_unused, index) =>
        (index % 2 === 0 ? server : second).local
          .create<Service>(services, {
            metadata: { name: `both-${index}`, namespace: 'default' },
            spec: {
              type: 'NodePort',
              ports: [{ port: 80 }],
              ...(index >= 190 && { clusterIP: `10.43.1.${1 + Math.floor((index - 190) / 2)}` }),
            },
          })
          .catch(() => undefined),
      ),
    )
    const stored = made.filter(service => service !== undefined)
    expect(stored.length).toBe(195)
    expect(new Set(stored.map(({ spec }) => spec.clusterIP)).size).toBe(195)
    expect(new Set(stored.map(({ spec }) => spec.ports![0]!.nodePort)).size).toBe(195)
    expect([(await addresses()).length, holdings()]).toEqual([195, 195])
    second.remote.close()
    await second.server.close()
  })
})

describe('ranges', () => {
  const range = (name: string, ...cidrs: string[]) =>
    server.local.create<ServiceCIDR>(serviceCidrs, { metadata: { name }, spec: { cidrs } })

  test('begin with the default one, which is ready', async () => {
    expect(await server.local.get(serviceCidrs, { name: 'kubernetes' })).toMatchObject({
      spec: { cidrs: ['10.43.0.0/16'] },
      status: { conditions: [{ type: 'Ready', status: 'True', message: 'Kubernetes default Service CIDR is ready' }] },
    })
  })

  test('can be added, and are used one after the other until all are full', async () => {
    const { storage } = server.server.context
    const old = storage.get(serviceCidrs, 'kubernetes')!
    await storage.put(
      serviceCidrs,
      'kubernetes',
      { ...structuredClone(old.object), spec: { cidrs: ['10.43.0.0/30'] } } as never,
      old.revision,
    )
    await range('more', '10.99.0.0/30')
    const made = [await create(), await create(), await create(), await create()].map(({ spec }) => spec.clusterIP)
    expect(made.toSorted((left, right) => (left! < right! ? -1 : 1))).toEqual([
      '10.43.0.1',
      '10.43.0.2',
      '10.99.0.1',
      '10.99.0.2',
    ])
    expect(await failureOf(create())).toBe('Internal error occurred: failed to allocate a serviceIP: range is full')
    expect(await failureOf(create({ clusterIP: '10.99.0.3' }))).toContain('does not match the current range')
  })

  test('stay until no address needs them', async () => {
    const clock = new FakeClock()
    const other = await startTestServer({ clock })
    const controllers = await startControllers([serviceCidrController()], {
      client: other.local,
      clock,
      random: server.server.context.random,
      logger: silentLogger,
    })
    await other.local.create<ServiceCIDR>(serviceCidrs, {
      metadata: { name: 'more' },
      spec: { cidrs: ['10.99.0.0/24'] },
    })
    const ready = async (): Promise<string | undefined> =>
      (await other.local.get(serviceCidrs, { name: 'more' })).status.conditions?.[0]?.status
    await eventually('that the range is ready', async () => (await ready()) === 'True')
    const user = {
      metadata: { name: 'user', namespace: 'default' },
      spec: { clusterIP: '10.99.0.9', ports: [{ port: 80 }] },
    }
    await other.local.create<Service>(services, user)
    await other.local.delete(serviceCidrs, { name: 'more' })
    await eventually('that the range is not ready', async () => (await ready()) === 'False')
    await clock.advance(60_000)
    expect(
      await failureOf(
        other.local.create<Service>(services, {
          ...user,
          metadata: { name: 'late', namespace: 'default' },
          spec: { ...user.spec, clusterIP: '10.99.0.10' },
        }),
      ),
    ).toContain('does not match the current range')
    await other.local.delete(services, { namespace: 'default', name: 'user' })
    await eventually('that the range is gone', async () => {
      await clock.advance(1000)
      return (await other.local.list(serviceCidrs)).items.length === 1
    })
    await controllers.stop()
    await other.close()
  })
})

describe('repair', () => {
  const eventsOf = async (of: TestServer): Promise<string[]> =>
    (await of.local.list(events)).items.map(({ reason, message }) => `${reason}: ${message}`).toSorted()

  test('notes at the start what services have from before anything was noted', async () => {
    const made = await create({ type: 'NodePort', clusterIP: '10.43.0.10', ports: [{ port: 80, nodePort: 30_100 }] })
    const { storage } = server.server.context
    await storage.delete(ipAddresses, storage.get(ipAddresses, '10.43.0.10')!)
    await storage.delete(nodePortAllocations, storage.get(nodePortAllocations, '30100')!)
    const again = await startTestServer({ store })
    expect(await parentOf('10.43.0.10')).toMatchObject({ name: made.metadata.name })
    expect(
      await failureOf(
        again.local.create<Service>(services, {
          metadata: { name: 'late', namespace: 'default' },
          spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30_100 }] },
        }),
      ),
    ).toContain('already allocated')
    expect(await eventsOf(again)).toEqual([
      'ClusterIPNotAllocated: Cluster IP [IPv4]: 10.43.0.10 is not allocated; repairing',
      'PortNotAllocated: Port 30100 is not allocated; repairing',
    ])
    again.remote.close()
    await again.server.close()
  })

  test('tells of two services with one address, and of what is in no range', async () => {
    const made = await create({ type: 'NodePort', clusterIP: '10.43.0.10', ports: [{ port: 80, nodePort: 30_100 }] })
    const { storage } = server.server.context
    const again = (name: string, clusterIP: string, nodePort: number): Service =>
      structuredClone({
        ...made,
        metadata: { ...made.metadata, name, uid: name },
        spec: { ...made.spec, clusterIP, clusterIPs: [clusterIP], ports: [{ ...made.spec.ports![0]!, nodePort }] },
      })
    await storage.put(services, 'default/twin', again('twin', '10.43.0.10', 30_100), 0)
    await storage.put(services, 'default/stray', again('stray', '192.0.2.1', 80), 0)
    const other = await startTestServer({ store })
    expect(await eventsOf(other)).toEqual([
      'ClusterIPAlreadyAllocated: Cluster IP [IPv4]:10.43.0.10 was assigned to multiple services; please recreate service',
      'ClusterIPOutOfRange: Cluster IP [IPv4]: 192.0.2.1 is not within any configured Service CIDR; please recreate service',
      'PortAlreadyAllocated: Port 30100 was assigned to multiple services; please recreate service',
      'PortOutOfRange: Port 80 is not within the port range 30000-32767; please recreate service',
    ])
    await server.local.delete(services, { namespace: 'default', name: 'twin' })
    expect(await parentOf('10.43.0.10')).toMatchObject({ name: made.metadata.name })
    other.remote.close()
    await other.server.close()
  })

  test('gives back what belongs to nobody, but not what a service on its way has taken', async () => {
    const clock = new FakeClock()
    const other = await startTestServer({ clock })
    const { storage } = other.server.context
    const gone = { metadata: { namespace: 'default', name: 'gone' } } as Service
    for (const holding of [addressHolding('10.43.0.77'), portHolding(30_077)])
      await storage.put(
        holding.resource,
        holding.name,
        makeHolding(holding, gone, { clock, random: server.server.context.random }),
        0,
      )
    await clock.advance(179_000)
    const fresh = addressHolding('10.43.0.78')
    await storage.put(
      fresh.resource,
      fresh.name,
      makeHolding(fresh, gone, { clock, random: server.server.context.random }),
      0,
    )
    await clock.advance(2000)
    expect(
      [...storage.cache(ipAddresses).values(), ...storage.cache(nodePortAllocations).values()].map(({ key }) => key),
    ).toEqual(['10.43.0.78'])
    expect(await eventsOf(other)).toEqual([
      'IPAddressNotAllocated: IPAddress: 10.43.0.77 for Service default/gone appears to have leaked: cleaning up',
    ])
    await other.close()
  })
})
