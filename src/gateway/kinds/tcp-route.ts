// TCPRoute: connections of a listener go to backends.
import { connectionRules } from './connection-rules.ts'
import { gatewayDefinition } from './definition.ts'
import { routeSpec, routeStatus } from './routes.ts'

export const tcpRoute = gatewayDefinition({
  kind: 'TCPRoute',
  plural: 'tcproutes',
  description: 'Sends TCP connections to services.',
  spec: routeSpec({ rules: connectionRules }, ['rules']),
  status: routeStatus,
})
