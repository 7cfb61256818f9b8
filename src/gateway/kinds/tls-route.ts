// TLSRoute: connections go to backends by the name of the server that the client asks for.
import { connectionRules } from './connection-rules.ts'
import { gatewayDefinition } from './definition.ts'
import { hostname, subdomain } from './names-and-references.ts'
import { routeSpec, routeStatus } from './routes.ts'
import { described, list, rule, ruled } from './schema.ts'

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
  description: 'Sends TLS connections to services by the name of the server that the client asks for.',
  spec: routeSpec(
    {
      hostnames: described('Names of servers that are answered for; *.example.com takes all names below.', serverNames),
      rules: connectionRules,
    },
    ['hostnames', 'rules'],
  ),
  status: routeStatus,
})
