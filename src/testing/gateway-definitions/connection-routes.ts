// TLSRoute, TCPRoute and UDPRoute: routes that look at no more than a connection, and have one rule.
import { gatewayDefinition } from './definition.ts'
import { backendReference, hostname, sectionName, subdomain } from './names-and-references.ts'
import { routeSpec, routeStatus } from './routes.ts'
import { list, object, rule, ruled } from './schema-shapes.ts'

const rules = list(object({ name: sectionName, backendRefs: list(backendReference(), 16, 1) }, ['backendRefs']), 1, 1)

/** Within a text of CEL, where a backslash stands for itself only when it is written twice. */
const isHostname = `matches('^(${subdomain.replaceAll('\\', '\\\\')})$')`
const serverNames = ruled(
  list(hostname, 1024, 1),
  rule('Hostnames cannot contain an IP', 'self.all(h, !isIP(h))'),
  rule('Hostnames must be valid based on RFC-1123', `self.all(h, !h.contains('*') ? h.${isHostname} : true)`),
  rule(
    'Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123',
    `self.all(h, h.contains('*') ? (h.startsWith('*.') && h.substring(2).${isHostname}) : true)`,
  ),
)

export const tlsRoute = gatewayDefinition({
  kind: 'TLSRoute',
  plural: 'tlsroutes',
  description: 'Sends TLS connections to backends by the name of the server that is asked for.',
  spec: routeSpec({ hostnames: serverNames, rules }, ['hostnames', 'rules']),
  status: routeStatus,
})

export const tcpRoute = gatewayDefinition({
  kind: 'TCPRoute',
  plural: 'tcproutes',
  description: 'Sends TCP connections to backends.',
  spec: routeSpec({ rules }, ['rules']),
  status: routeStatus,
})

export const udpRoute = gatewayDefinition({
  kind: 'UDPRoute',
  plural: 'udproutes',
  description: 'Sends UDP packets to backends.',
  spec: routeSpec({ rules }, ['rules']),
  status: routeStatus,
})
