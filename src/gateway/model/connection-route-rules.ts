// The one rule of a TLSRoute, a TCPRoute or a UDPRoute in the model's words: whatever comes goes one way, by weight. Pure.
// Source: Gateway API, TLSRoute, TCPRoute and UDPRoute.
import type { TCPRoute, TLSRoute } from '../../api/gateway-api/types.ts'
import type { WrittenRule } from './route-rules.ts'

/** A UDPRoute is written as a TCPRoute is. */
export const connectionRules = (route: TLSRoute | TCPRoute): readonly WrittenRule[] =>
  route.spec.rules.map(({ name, backendRefs }, index) => ({
    route,
    name: name ?? String(index),
    matches: [{ path: { kind: 'prefix', value: '/' }, headers: [], query: [] }],
    filters: [],
    backendRefs,
    protocol: route.kind === 'UDPRoute' ? 'udp' : 'tcp',
  }))
