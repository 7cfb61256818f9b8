import { expect, test } from 'vitest'
import { gatewayDefinitions } from './all.ts'
import { kindVersions } from './needed-kinds.ts'
import * as resources from '../../api/gateway-api/resources.ts'

const byKind = (a: { readonly kind: string }, b: { readonly kind: string }): number => a.kind.localeCompare(b.kind)

/** What the Gateway API has in its standard channel, release 1.6, and what is ours. */
const kinds = [
  'AccessPolicy',
  'CertificateIssuer',
  'BalancingPolicy',
  'Consumer',
  'TrafficPolicy',
  'BackendTLSPolicy',
  'GRPCRoute',
  'Gateway',
  'GatewayClass',
  'HTTPRoute',
  'ListenerSet',
  'ReferenceGrant',
  'TCPRoute',
  'TLSRoute',
  'UDPRoute',
]

test('each kind of the channel has a definition', () => {
  expect(gatewayDefinitions.map(({ spec }) => spec.names.kind).toSorted()).toEqual(kinds.toSorted())
})

test('each definition has its resource, in a version that it serves', () => {
  const defined = gatewayDefinitions.map(({ spec: { group, names, scope, versions } }) => ({
    group,
    version: versions.find(({ name, served }) => served && name === kindVersions.get(`${names.plural}.${group}`))?.name,
    plural: names.plural,
    kind: names.kind,
    scope,
  }))
  expect(Object.values(resources).toSorted(byKind)).toEqual(defined.toSorted(byKind))
})
