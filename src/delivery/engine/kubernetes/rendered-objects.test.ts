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
const policed: Route = {
  ...route,
  access: {
    allow: ['10.0.0.0/8'],
    authentication: { kind: 'token', issuer: 'https://login.example.com', audiences: ['hcn'], keys: 'login' },
    groups: ['partners'],
  },
  limit: { requests: 100, seconds: 60, by: 'consumer' },
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

test('where people log in is a policy, which names the Secret and holds none', () => {
  const authentication = {
    kind: 'login',
    issuer: 'https://login.example.com',
    clientId: 'hcn',
    secret: 'hcn-login-1',
    scopes: ['groups'],
    claims: { groups: ['staff'] },
  } as const
  const parts = [entrance, { ...route, access: { authentication } }]
  expect(renderedObjects('test', { parts, bundles: [], gateway: undefined }, 0)[1]).toMatchObject({
    kind: 'AccessPolicy',
    spec: {
      authentication: {
        oidc: {
          issuer: 'https://login.example.com',
          clientID: 'hcn',
          clientSecretRef: { name: 'hcn-login-1' },
          scopes: ['groups'],
          redirectPath: '/oauth2/callback',
          logoutPath: '/oauth2/logout',
          claims: { groups: ['staff'] },
        },
      },
    },
  })
})

test('keys of tokens are where the issuer says, unless they are somewhere else', () => {
  const jwtOf = (more: object): unknown => {
    const authentication = { kind: 'token', issuer: 'https://login.example.com', ...more } as const
    const parts = [entrance, { ...route, access: { authentication } }]
    const [, policy] = renderedObjects('test', { parts, bundles: [], gateway: undefined }, 0)
    return (policy as { spec: { authentication: { jwt: unknown } } }).spec.authentication.jwt
  }
  const rest = { issuer: 'https://login.example.com', consumerClaim: 'sub' }
  expect(jwtOf({})).toEqual(rest)
  expect(jwtOf({ jwksUri: 'https://login.example.com/keys' })).toEqual({
    ...rest,
    jwksUri: 'https://login.example.com/keys',
  })
})

test.each([
  [undefined, { group: 'networking.k8s.io', kind: 'Ingress', name: 'hcn-root' }],
  [
    { namespace: 'gateways', name: 'public' },
    { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name: 'hcn-root' },
  ],
])('who may ask a route and how much are policies that stand before it', (gateway, target) => {
  const objects = renderedObjects('test', { parts: [entrance, policed], bundles: [], gateway }, 0)
  expect(objects.slice(1)).toMatchObject([
    {
      apiVersion: 'gateway.sampan.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { namespace: 'test', name: 'hcn-root' },
      spec: {
        targetRefs: [target],
        addresses: { allow: ['10.0.0.0/8'] },
        authentication: {
          jwt: {
            issuer: 'https://login.example.com',
            audiences: ['hcn'],
            keysRef: { kind: 'Secret', name: 'login' },
          },
        },
        groups: ['partners'],
      },
    },
    {
      kind: 'TrafficPolicy',
      metadata: { namespace: 'test', name: 'hcn-root' },
      spec: { targetRefs: [target], rateLimits: [{ requests: 100, per: '60s', by: 'Consumer' }] },
    },
    { kind: target.kind },
  ])
})
