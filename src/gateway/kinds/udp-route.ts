// UDPRoute: packets of a listener go to backends.
import { connectionRules } from './connection-rules.ts'
import { gatewayDefinition } from './definition.ts'
import { routeSpec, routeStatus } from './routes.ts'

export const udpRoute = gatewayDefinition({
  kind: 'UDPRoute',
  plural: 'udproutes',
  description: 'Sends UDP packets to services.',
  spec: routeSpec({ rules: connectionRules }, ['rules']),
  status: routeStatus,
})
