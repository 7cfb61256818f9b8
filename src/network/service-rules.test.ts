import { describe, expect, test } from 'vitest'
import type { Endpoint, EndpointSlice, Pod, Service } from '../api/generated/models.ts'
import { hostPortRules, portRules } from './service-rules.ts'

const meta = (name: string) => ({ name, namespace: 'shop', uid: name, resourceVersion: '1', creationTimestamp: '' })

const service = (spec: Partial<Service['spec']>, status: Service['status'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('web'),
  spec: { clusterIP: '10.43.0.20', ports: [{ port: 80 }], ...spec },
  status,
})

const slice = (endpoints: Endpoint[], more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: meta('web-1'),
  addressType: 'IPv4',
  ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  endpoints,
  ...more,
})

const endpoint = (address: string, conditions: Endpoint['conditions'] = { ready: true }): Endpoint => ({
  addresses: [address],
  conditions,
})
const backends = (spec: Partial<Service['spec']>, slices: EndpointSlice[]): string[][] =>
  portRules(service(spec), slices).map(rule => rule.backends.map(({ address, port }) => `${address}:${port}`))

test('a service port leads from its address to its ready endpoints', () => {
  const both = [
    { address: '10.42.0.1', port: 8080 },
    { address: '10.42.0.2', port: 8080 },
  ]
  expect(portRules(service({}), [slice([endpoint('10.42.0.2'), endpoint('10.42.0.1')])])).toEqual([
    {
      chain: 'service/shop/web/tcp/80',
      protocol: 'tcp',
      addresses: ['10.43.0.20'],
      port: 80,
      nodePort: undefined,
      sticky: false,
      backends: both,
      serving: both,
    },
  ])
})

describe('a service has no rules', () => {
  test.each([
    ['when it is headless', { clusterIP: 'None' }],
    ['when it has no address yet', { clusterIP: undefined }],
    ['when it only is another name', { type: 'ExternalName', externalName: 'example.com', clusterIP: undefined }],
    ['when it has no ports', { ports: [] }],
  ])('%s', (_when, spec) => {
    expect(portRules(service(spec), [slice([endpoint('10.42.0.1')])])).toEqual([])
  })
})

describe('the endpoints of a port', () => {
  test('are found by its name', () => {
    const named = slice([endpoint('10.42.0.1')], {
      ports: [
        { name: 'http', port: 8080 },
        { name: 'grpc', port: 9090 },
      ],
    })
    expect(
      backends(
        {
          ports: [
            { name: 'grpc', port: 1 },
            { name: 'http', port: 2 },
            { name: 'other', port: 3 },
          ],
        },
        [named],
      ),
    ).toEqual([['10.42.0.1:9090'], ['10.42.0.1:8080'], []])
  })

  test('may differ from pod to pod, as a named target port can', () => {
    const other = slice([endpoint('10.42.0.2')], { ports: [{ name: '', port: 8081 }] })
    expect(backends({}, [slice([endpoint('10.42.0.1')]), other])).toEqual([['10.42.0.1:8080', '10.42.0.2:8081']])
  })

  test('are those of its protocol', () => {
    const udp = slice([endpoint('10.42.0.1')], { ports: [{ name: '', port: 53, protocol: 'UDP' }] })
    expect(backends({ ports: [{ port: 53, protocol: 'UDP' }] }, [udp])).toEqual([['10.42.0.1:53']])
    expect(backends({ ports: [{ port: 53, protocol: 'TCP' }] }, [udp])).toEqual([[]])
  })

  test.each<[string, Endpoint[], string[]]>([
    ['that are ready', [endpoint('10.42.0.1'), endpoint('10.42.0.2', { ready: false })], ['10.42.0.1:8080']],
    ['of which nothing is known', [endpoint('10.42.0.1', {})], ['10.42.0.1:8080']],
    [
      'that end, as long as none is ready',
      [
        endpoint('10.42.0.1', { ready: false, serving: true, terminating: true }),
        endpoint('10.42.0.2', { ready: false, serving: false, terminating: true }),
      ],
      ['10.42.0.1:8080'],
    ],
    [
      'that end, but not beside a ready one',
      [endpoint('10.42.0.1', { ready: false, serving: true, terminating: true }), endpoint('10.42.0.2')],
      ['10.42.0.2:8080'],
    ],
    ['none when none serves', [endpoint('10.42.0.1', { ready: false })], []],
    ['each only once', [endpoint('10.42.0.1'), endpoint('10.42.0.1')], ['10.42.0.1:8080']],
  ])('are the ones %s', (_which, endpoints, expected) => {
    expect(backends({}, [slice(endpoints)])).toEqual([expected])
  })

  test('go on with what was begun while they end, beside others that get what is new, near and far', () => {
    const [rule] = portRules(
      service({}),
      [
        slice([
          { ...endpoint('10.42.0.1'), hints: { forNodes: [{ name: 'here' }] } },
          { ...endpoint('10.42.0.2'), hints: { forNodes: [{ name: 'there' }] } },
          endpoint('10.42.0.3', { ready: false, serving: true, terminating: true }),
          endpoint('10.42.0.4', { ready: false, serving: false, terminating: true }),
        ]),
      ],
      'here',
    )
    expect(rule!.backends.map(({ address }) => address)).toEqual(['10.42.0.1'])
    expect(rule!.serving.map(({ address }) => address)).toEqual(['10.42.0.1', '10.42.0.2', '10.42.0.3'])
  })

  test('are IPv4 addresses', () => {
    expect(backends({}, [slice([endpoint('fd00::1')], { addressType: 'IPv6' })])).toEqual([[]])
  })
})

test('outside addresses lead there too, each once', () => {
  const [rule] = portRules(
    service(
      { externalIPs: ['192.0.2.1', '10.43.0.20'] },
      { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'VIP' }, { hostname: 'lb' }] } },
    ),
    [],
  )
  expect(rule!.addresses).toEqual(['10.43.0.20', '192.0.2.1', '192.0.2.2'])
})

test('what somebody in between serves is left to him', () => {
  const [rule] = portRules(service({}, { loadBalancer: { ingress: [{ ip: '127.7.0.1', ipMode: 'Proxy' }] } }), [])
  expect(rule!.addresses).toEqual(['10.43.0.20'])
})

test('node ports and session affinity are passed on', () => {
  const [rule] = portRules(
    service({ type: 'NodePort', sessionAffinity: 'ClientIP', ports: [{ port: 80, nodePort: 30_080 }] }),
    [],
  )
  expect(rule).toMatchObject({ nodePort: 30_080, sticky: true })
})

describe('a host port of a pod', () => {
  const pod = (spec: Partial<Pod['spec']>, status: Pod['status'] = { podIP: '10.42.0.1', phase: 'Running' }): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta('web'),
    spec: {
      containers: [{ name: 'main', image: 'x', ports: [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }] }],
      ...spec,
    },
    status,
  })

  test('leads from the machine to the pod', () => {
    expect(hostPortRules(pod({}))).toEqual([
      {
        chain: 'host-port/web/tcp/8080',
        protocol: 'tcp',
        addresses: [],
        port: 8080,
        nodePort: 8080,
        sticky: false,
        backends: [{ address: '10.42.0.1', port: 80 }],
        serving: [{ address: '10.42.0.1', port: 80 }],
      },
    ])
  })

  test('may name the one address it is served on', () => {
    expect(
      hostPortRules(
        pod({
          containers: [
            {
              name: 'main',
              image: 'x',
              ports: [{ containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1', protocol: 'UDP' }],
            },
          ],
        }),
      ),
    ).toMatchObject([{ protocol: 'udp', addresses: ['127.0.0.1'], nodePort: undefined }])
  })

  test.each([
    ['on the network of the machine', pod({ hostNetwork: true })],
    ['without an address yet', pod({}, { phase: 'Pending' })],
    ['that has ended', pod({}, { phase: 'Succeeded', podIP: '10.42.0.1' })],
  ])('has no rule for a pod %s', (_which, ended) => {
    expect(hostPortRules(ended)).toEqual([])
  })
})
