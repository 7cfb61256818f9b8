// GRPCRoute: which calls of gRPC go to which backends.
import { ageColumn, column, gatewayDefinition } from './definition.ts'
import { backendReference, sectionName } from './names-and-references.ts'
import { commonFilters, filterList, valueMatch } from './route-filters.ts'
import { hostnames, limitOfMatches, routeSpec, routeStatus } from './routes.ts'
import { described, list, listByKey, object, oneOf, rule, ruled, text, withDefault } from './schema.ts'

const isExact = "(!has(self.type) || self.type == 'Exact')"
const serviceCharacters = String.raw`^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$`
const methodCharacters = '^[A-Za-z_][A-Za-z_0-9]*$'
const method = ruled(
  object({
    type: withDefault(oneOf('Exact', 'RegularExpression'), 'Exact'),
    service: text(1024),
    method: text(1024),
  }),
  rule(
    "One or both of 'service' or 'method' must be specified",
    'has(self.type) ? has(self.service) || has(self.method) : true',
  ),
  rule(
    `service must only contain valid characters (matching ${serviceCharacters})`,
    `${isExact} && has(self.service) ? self.service.matches(r"""${serviceCharacters}"""): true`,
  ),
  rule(
    `method must only contain valid characters (matching ${methodCharacters})`,
    `${isExact} && has(self.method) ? self.method.matches(r"""${methodCharacters}"""): true`,
  ),
)

const filters = filterList(commonFilters, ['RequestHeaderModifier', 'ResponseHeaderModifier'])

const routeRule = object({
  name: sectionName,
  matches: described(
    'A call is taken when one of them holds; left out, all are taken.',
    list(object({ method, headers: listByKey('name', valueMatch(4096), 16) }), 64),
  ),
  filters: described('What is done to calls and answers on the way.', filters),
  backendRefs: described('The services that take the calls, by weight.', list(backendReference({ filters }), 16)),
})

export const grpcRoute = gatewayDefinition({
  kind: 'GRPCRoute',
  plural: 'grpcroutes',
  columns: [column('Hostnames', '.spec.hostnames'), ageColumn],
  description: 'Sends calls of gRPC to services by host, service, method and headers.',
  spec: routeSpec({
    hostnames,
    rules: described(
      'Which calls go where; the most telling match wins, whatever the order.',
      ruled(
        list(routeRule, 16),
        limitOfMatches(item => `(has(${item}.matches) ? ${item}.matches.size() : 0)`),
      ),
    ),
  }),
  status: routeStatus,
})
