// Objects without a cluster: routes become what is known of the environment.
import { expect, test } from 'vitest'
import type { Entrance, Route } from '../parts.ts'
import { renderedObjects } from './rendered-objects.ts'

const entrance: Entrance = {
  kind: 'entrance',
  name: 'hcn',
  service: 'hcn',
  leadsTo: 'serving',
  ports: [{ name: 'http', port: 3000, protocol: 'TCP' }],
}
const route: Route = {
  kind: 'route',
  name: 'hcn-root',
  service: 'hcn',
  host: 'hcn.localhost',
  path: '/',
  entrance: 'hcn',
  port: 'http',
}
const rendered = (gateway: Parameters<typeof renderedObjects>[1]['gateway']): object | undefined =>
  renderedObjects('test', { parts: [entrance, route], bundles: [], gateway }, 0).at(-1)

test('a route is an Ingress where no Gateway is named', () => {
  expect(rendered(undefined)).toMatchObject({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    spec: { rules: [{ host: 'hcn.localhost' }] },
  })
})

test('a route is an HTTPRoute of the Gateway that is named, to the number of its port', () => {
  expect(rendered({ namespace: 'gateways', name: 'public' })).toMatchObject({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'gateways', name: 'public' }],
      hostnames: ['hcn.localhost'],
      rules: [{ backendRefs: [{ name: 'hcn', port: 3000, weight: 1 }] }],
    },
  })
})
