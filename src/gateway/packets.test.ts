// Packets as the kernel is told of them: whose listeners and routes they are, and who gets which part.
import { describe, expect, test } from 'vitest'
import type { EndpointSlice, Service } from '../api/generated/models.ts'
import { connectionRoute, gateway, listener, observedWith, parent, toService } from '../testing/gateway-objects.ts'
import type { Observed } from './model/observed.ts'
import { gatewayModel, type MadeModel } from './model/gateway-model.ts'
import type { Backend, GatewayModel, Share } from './model/model.ts'
import { packetEntrances, type PacketEntrance } from './packets.ts'

const front = { address: '127.0.0.1', port: 80, ownAddresses: ['127.7.0.1'] }
const udp = (port: number): ReturnType<typeof listener> => listener({ name: `udp-${port}`, protocol: 'UDP', port })

/** A service whose port 53 is one of connections and one of packets. */
const dns = {
  metadata: { namespace: 'shop', name: 'dns' },
  spec: {
    ports: [
      { name: 'tcp', port: 53, protocol: 'TCP' },
      { name: 'udp', port: 53, protocol: 'UDP' },
    ],
  },
} as unknown as Service
const web = { metadata: { namespace: 'shop', name: 'web' }, spec: { ports: [{ port: 80 }] } } as unknown as Service
const slice = {
  addressType: 'IPv4',
  ports: [
    { name: 'tcp', port: 5354, protocol: 'TCP' },
    { name: 'udp', port: 5353, protocol: 'UDP' },
  ],
  endpoints: [{ addresses: ['10.42.0.7'], conditions: { ready: true } }],
} as EndpointSlice

const made = (more: Partial<Observed>): MadeModel =>
  gatewayModel(
    observedWith({
      service: (_namespace, name) => ({ dns, web })[name as 'dns'],
      slices: (_namespace, name) => (name === 'dns' ? [slice] : []),
      ...more,
    }),
    front,
  )

test('a port of packets and one of connections of the same number lead to the ports of a service that are the same', () => {
  const result = made({
    gateways: [gateway({ name: 'one' }, [udp(53), listener({ name: 'tcp', protocol: 'TCP', port: 53 })])],
    udpRoutes: [
      connectionRoute('UDPRoute', { name: 'dns', parents: [parent('one')] }, [toService('dns', { port: 53 })]),
    ],
    tcpRoutes: [
      connectionRoute('TCPRoute', { name: 'dns', parents: [parent('one')] }, [toService('dns', { port: 53 })]),
    ],
  })
  const served = { targets: [{ address: '10.42.0.7', port: 5353, places: 1000 }], isByAddress: false }
  const serving = [{ address: '10.42.0.7', port: 5353 }]
  expect(packetEntrances(result.model)).toEqual([
    { address: '127.7.0.1', port: 53, ...served, serving },
    { address: '127.0.0.1', port: 53, ...served, serving },
  ])
  const connections = [...result.model.backends.values()].find(({ protocol }) => protocol === 'tcp')
  expect(connections?.servers).toMatchObject([{ port: 5354 }])
})

test('a port that is none of packets is no backend of them, and a port that is taken is no entrance', () => {
  const result = made({
    gateways: [gateway({ name: 'one' }, [udp(53), udp(54)])],
    udpRoutes: [
      connectionRoute('UDPRoute', { name: 'web', parents: [parent('one')] }, [toService('web', { port: 80 })]),
    ],
    machine: { addresses: new Set(), taken: new Set(['udp:127.0.0.1:53', '127.7.0.1:53', '127.0.0.1:54']) },
  })
  expect(
    packetEntrances(result.model).map(({ address, port, targets }) => `${address}:${port} ${targets.length}`),
  ).toEqual(['127.7.0.1:53 0', '127.7.0.1:54 0', '127.0.0.1:54 0'])
  expect(result.problems).toEqual([
    {
      owner: 'UDPRoute shop/web',
      reason: 'BackendNotFound',
      message: 'the service "web" has no port of UDP 80; it has 80',
    },
  ])
})

describe('packets', () => {
  const backend = (id: string, servers: number, more: Partial<Backend> = {}): Backend => ({
    id,
    handling: {},
    protocol: 'udp',
    servers: Array.from({ length: servers }, (_, at) => ({
      address: `10.42.${id}.${at + 1}`,
      port: 53,
      draining: false,
    })),
    ...more,
  })
  const entrance = (
    backends: readonly Backend[],
    shares: readonly Share[],
    sources?: readonly string[],
  ): PacketEntrance => {
    const model: GatewayModel = {
      entrances: [
        {
          address: '127.7.0.1',
          port: 53,
          carries: 'packets',
          ...(sources && { sources }),
          hosts: [
            {
              name: { kind: 'any' },
              listener: '',
              rules: [
                {
                  source: 'UDPRoute shop/dns 0',
                  match: { path: { kind: 'prefix', value: '/' }, headers: [], query: [] },
                  action: { shares },
                },
              ],
            },
          ],
        },
      ],
      backends: new Map(backends.map(each => [each.id, each])),
      credentials: new Map(),
      certificates: new Map(),
    }
    return packetEntrances(model)[0]!
  }
  const placesOf = ({ targets }: PacketEntrance): Record<string, number> =>
    Object.fromEntries(targets.map(({ address, places }) => [address, places]))

  test('are shared among services by weight, however many instances each has', () => {
    const shares = [
      { backend: '1', weight: 7 },
      { backend: '2', weight: 3 },
    ]
    expect(placesOf(entrance([backend('1', 1), backend('2', 3)], shares))).toEqual({
      '10.42.1.1': 700,
      '10.42.2.1': 100,
      '10.42.2.2': 100,
      '10.42.2.3': 100,
    })
  })

  test('for a service that is not there, or has no instance, are for nobody else', () => {
    const shares = [
      { backend: '1', weight: 1 },
      { backend: undefined, weight: 1 },
      { backend: '2', weight: 2 },
    ]
    expect(placesOf(entrance([backend('1', 1), backend('2', 0)], shares))).toEqual({ '10.42.1.1': 250 })
    expect(entrance([], [])).toMatchObject({ targets: [], serving: [] })
  })

  test('that are new go to no instance that ends, which goes on with what it has', () => {
    const servers = [
      { address: '10.42.0.1', port: 53, draining: true },
      { address: '10.42.0.2', port: 53, draining: false },
    ]
    const found = entrance([backend('1', 0, { servers })], [{ backend: '1', weight: 1 }])
    expect(placesOf(found)).toEqual({ '10.42.0.2': 1000 })
    expect(found.serving.map(({ address }) => address)).toEqual(['10.42.0.1', '10.42.0.2'])
  })

  test('come from those networks alone that policies and the service let, of IPv4', () => {
    const policies = [
      { source: 'a', addresses: { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.1.0.0/16'] } },
      { source: 'b', addresses: { allow: ['2001:db8::/32'], deny: [] } },
    ]
    const found = entrance(
      [backend('1', 1, { handling: { policies } })],
      [{ backend: '1', weight: 1 }],
      ['192.0.2.0/24'],
    )
    expect(found.sources).toEqual({ allow: [['192.0.2.0/24'], ['10.0.0.0/8'], []], deny: ['10.1.0.0/16'] })
  })

  test.each([
    ['that cannot be enforced', { isClosed: true }],
    ['that asks who it is', { identity: { keys: { header: 'x', credentials: 'c' } } }],
    ['that closes for a while', { maintenance: { message: 'later' } }],
  ])('are refused by a policy %s', (_what, asked) => {
    const policies = [{ source: 'a', ...asked }]
    expect(entrance([backend('1', 1, { handling: { policies } })], [{ backend: '1', weight: 1 }]).targets).toEqual([])
  })

  test('of one address go to one instance where a policy says so', () => {
    const balancing = { source: 'a', choice: { by: 'address' as const } }
    expect(entrance([backend('1', 2, { balancing })], [{ backend: '1', weight: 1 }]).isByAddress).toBe(true)
  })
})
