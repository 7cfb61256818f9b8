import { describe, expect, test } from 'vitest'
import type { Deployment, Service } from '../api/generated/models.ts'
import { readManifest } from './manifest/read-manifest.ts'
import { render } from './render.ts'

const rendered = (text: string): { deployment: Deployment; service: Service | undefined } => {
  const [deployment, service] = render(readManifest('app.yml', text, 'test'), '1.2.0').map(({ object }) => object)
  return { deployment: deployment as Deployment, service: service as Service | undefined }
}
const labels = {
  'app.kubernetes.io/name': 'web',
  'app.kubernetes.io/version': '1.2.0',
  'app.kubernetes.io/managed-by': 'sampan',
}

test('a name alone gives a Deployment without ports and no Service', () => {
  const { deployment, service } = rendered('name: web')
  expect(service).toBeUndefined()
  expect(deployment).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'test', labels },
    spec: {
      replicas: 1,
      minReadySeconds: 5,
      selector: { matchLabels: { 'app.kubernetes.io/name': 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 0 } },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 32,
          containers: [
            {
              name: 'web',
              image: 'sampan.local/web:1.2.0',
              ports: [],
              env: [{ name: 'SERVICE_VERSION', value: '1.2.0' }],
            },
          ],
        },
      },
    },
  })
})

test('a service with everything', () => {
  const { deployment, service } = rendered(`
name: web
replicas: 3
command: [node, main.js]
ports: { http: { port: 8080, nodePort: 30080 }, dns: { port: 53, protocol: UDP } }
health: { http: /healthz }
env: { MODE: fast, PASSWORD: { secret: database, key: password }, LEVEL: { configMap: settings, key: level } }
resources: { cpu: 20m, memory: 128Mi }
strategy: recreate
stopSeconds: 10
`)
  expect(deployment.spec.replicas).toBe(3)
  expect(deployment.spec.strategy).toEqual({ type: 'Recreate' })
  expect(deployment.spec.template.spec).toEqual({
    terminationGracePeriodSeconds: 12,
    containers: [
      {
        name: 'web',
        image: 'sampan.local/web:1.2.0',
        command: ['node', 'main.js'],
        ports: [
          { name: 'http', containerPort: 8080, protocol: 'TCP' },
          { name: 'dns', containerPort: 53, protocol: 'UDP' },
        ],
        env: [
          { name: 'SERVICE_VERSION', value: '1.2.0' },
          { name: 'MODE', value: 'fast' },
          { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } },
          { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } },
        ],
        resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '128Mi' } },
        readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 2, failureThreshold: 2 },
        livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10, failureThreshold: 6 },
        lifecycle: { preStop: { sleep: { seconds: 2 } } },
      },
    ],
  })
  expect(service).toEqual({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'test', labels },
    spec: {
      type: 'NodePort',
      selector: { 'app.kubernetes.io/name': 'web' },
      ports: [
        { name: 'http', port: 8080, targetPort: 'http', protocol: 'TCP', nodePort: 30_080 },
        { name: 'dns', port: 53, targetPort: 'dns', protocol: 'UDP' },
      ],
    },
  })
})

describe('a health check', () => {
  test.each([
    ['grpc: true', { grpc: { port: 50_051 } }],
    ['tcp: true', { tcpSocket: { port: 'grpc' } }],
    ['{ http: /ok, port: admin }', { httpGet: { path: '/ok', port: 'admin' } }],
  ])('%s', (health, probe) => {
    const { deployment } = rendered(
      `name: web\nports: { grpc: 50051, admin: 9000 }\nhealth: ${health.startsWith('{') ? health : `{ ${health} }`}`,
    )
    expect(deployment.spec.template.spec!.containers[0]!.readinessProbe).toMatchObject(probe)
  })
})

test('an instance without a health check has to run for a while; one with a check is believed', () => {
  expect(rendered('name: web').deployment.spec.minReadySeconds).toBe(5)
  const checked = rendered('name: web\nports: { http: 80 }\nhealth: { http: / }')
  expect(checked.deployment.spec.minReadySeconds).toBeUndefined()
})
