import { expect, test } from 'vitest'
import type { ConfigMap, Container, EnvVar, Pod, Secret, Service } from '../api/generated/models.ts'
import { environmentOf, type EnvironmentSources } from './environment.ts'
import { serviceEnvironment, visibleServices } from './service-environment.ts'

const pod = {
  metadata: { name: 'web', namespace: 'shop', uid: 'u1', labels: { app: 'web', tier: 'front' }, annotations: {} },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'robot',
    containers: [{ name: 'main', resources: { limits: { cpu: '1500m' }, requests: { memory: '64Mi' } } }],
  },
} as unknown as Pod

const sources: EnvironmentSources = {
  configMap: name =>
    name === 'settings' ? ({ data: { color: 'green', 'not a name': 'x' } } as unknown as ConfigMap) : undefined,
  secret: name =>
    name === 'keys' ? ({ data: { token: Buffer.from('s3cret').toString('base64') } } as unknown as Secret) : undefined,
  services: [{ name: 'API_SERVICE_HOST', value: '10.43.0.7' }],
  addresses: { podAddress: '10.42.0.9', hostAddress: '192.168.1.1' },
  node: { cpus: 4, memoryBytes: 8 * 2 ** 30, diskBytes: 1e9 },
}

const values = (env: EnvVar[], envFrom: Container['envFrom'] = []): Record<string, string> =>
  Object.fromEntries(
    environmentOf(pod, { name: 'main', env, envFrom }, sources).map(({ name, value }) => [name, value]),
  )

test('all sources, later names win, references see earlier names', () => {
  expect(
    values(
      [
        { name: 'color', value: 'red' },
        { name: 'ADDRESS', value: 'http://$(API_SERVICE_HOST)/$(color)/$(token)/$(missing)' },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
      ],
      [
        { configMapRef: { name: 'settings' } },
        { secretRef: { name: 'keys' } },
        { prefix: 'P_', secretRef: { name: 'keys' } },
      ],
    ),
  ).toEqual({
    API_SERVICE_HOST: '10.43.0.7',
    color: 'red',
    token: 's3cret',
    P_token: 's3cret',
    ADDRESS: 'http://10.43.0.7/red/s3cret/$(missing)',
    TOKEN: 's3cret',
  })
})

test('what a pod knows about itself', () => {
  const field = (fieldPath: string): EnvVar => ({ name: fieldPath, valueFrom: { fieldRef: { fieldPath } } })
  const amount = (name: string, resource: string, divisor?: string): EnvVar => ({
    name,
    valueFrom: { resourceFieldRef: { resource, ...(divisor && { divisor }) } },
  })
  expect(
    values([
      field('metadata.name'),
      field('status.podIP'),
      field('status.hostIP'),
      field('spec.nodeName'),
      field("metadata.labels['app']"),
      field('metadata.labels'),
      amount('cpu', 'limits.cpu'),
      amount('milli', 'limits.cpu', '1m'),
      amount('memory', 'requests.memory', '1Mi'),
      amount('all', 'limits.memory', '1Gi'),
    ]),
  ).toEqual({
    API_SERVICE_HOST: '10.43.0.7',
    'metadata.name': 'web',
    'status.podIP': '10.42.0.9',
    'status.hostIP': '192.168.1.1',
    'spec.nodeName': 'n1',
    "metadata.labels['app']": 'web',
    'metadata.labels': 'app="web"\ntier="front"',
    cpu: '2',
    milli: '1500',
    memory: '64',
    all: '8',
  })
})

test.each([
  [{ configMapKeyRef: { name: 'nobody', key: 'a' } }, 'configmap "nobody" not found'],
  [{ configMapKeyRef: { name: 'settings', key: 'a' } }, "couldn't find key a in ConfigMap shop/settings"],
  [{ secretKeyRef: { name: 'keys', key: 'a' } }, "couldn't find key a in Secret shop/keys"],
])('%j is refused: %s', (valueFrom, message) => {
  expect(() => values([{ name: 'A', valueFrom }])).toThrow(message)
})

test('optional sources may be missing', () => {
  expect(values([{ name: 'A', valueFrom: { configMapKeyRef: { name: 'nobody', key: 'a', optional: true } } }])).toEqual(
    { API_SERVICE_HOST: '10.43.0.7' },
  )
})

test('services become variables', () => {
  const service = (namespace: string, name: string, clusterIP: string): Service =>
    ({
      metadata: { namespace, name },
      spec: { clusterIP, ports: [{ name: 'http-web', port: 80, protocol: 'TCP' }] },
    }) as unknown as Service
  const all = [
    service('shop', 'my-api', '10.43.0.7'),
    service('shop', 'headless', 'None'),
    service('other', 'x', '10.43.0.8'),
    service('default', 'kubernetes', '10.43.0.1'),
  ]
  expect(visibleServices(all, 'shop', true).map(({ metadata }) => metadata.name)).toEqual(['kubernetes', 'my-api'])
  expect(visibleServices(all, 'shop', false).map(({ metadata }) => metadata.name)).toEqual(['kubernetes'])
  expect(serviceEnvironment([all[0]!])).toEqual([
    { name: 'MY_API_SERVICE_HOST', value: '10.43.0.7' },
    { name: 'MY_API_SERVICE_PORT', value: '80' },
    { name: 'MY_API_SERVICE_PORT_HTTP_WEB', value: '80' },
    { name: 'MY_API_PORT', value: 'tcp://10.43.0.7:80' },
    { name: 'MY_API_PORT_80_TCP', value: 'tcp://10.43.0.7:80' },
    { name: 'MY_API_PORT_80_TCP_PROTO', value: 'tcp' },
    { name: 'MY_API_PORT_80_TCP_PORT', value: '80' },
    { name: 'MY_API_PORT_80_TCP_ADDR', value: '10.43.0.7' },
  ])
})
