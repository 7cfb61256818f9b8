// BalancingPolicy: how the instances of a service share its requests.
import { duration, objectName } from '../names-and-references.ts'
import { described, integer, list, object, oneOf, rule, ruled, text, whole, withDefault } from '../schema.ts'
import { policyColumns, policyDefinition, policyStatus } from './definition.ts'
import { headerName } from './header-name.ts'

const targetRefs = described(
  'The services of its namespace that it is for. Of two policies for a service the older one counts.',
  list(whole({ group: oneOf(''), kind: oneOf('Service'), name: objectName }), 16, 1),
)

const hash = ruled(
  object(
    {
      by: oneOf('Header', 'Cookie', 'QueryParameter', 'Address'),
      name: described('Of the header, the cookie or the parameter.', headerName),
    },
    ['by'],
  ),
  rule('expected name unless it is by: Address, and not with it', "has(self.name) == (self.by != 'Address')"),
)

const between = (field: string, least: string, most: string) =>
  rule(
    `expected ${field} from ${least} to ${most}`,
    `has(self.${field}) ? duration(self.${field}) >= duration('${least}') && duration(self.${field}) <= duration('${most}') : true`,
  )

const cookie = ruled(
  object({
    name: described('By default one that no other service has.', { ...text(64, 1), pattern: '^[A-Za-z0-9_-]+$' }),
    maxAge: described('How long browsers keep it; by default until they are closed.', duration),
  }),
  between('maxAge', '1s', '8760h'),
)

const ejection = ruled(
  object({
    consecutiveErrors: described(
      'Answers with 5xx, none at all, and connections that fail.',
      withDefault(integer(1, 1000), 5),
    ),
    duration: described('How long it gets nothing.', withDefault(duration, '30s')),
  }),
  between('duration', '1s', '1h'),
)

const queue = ruled(
  object({
    length: described('More that wait get 503 at once; by default as many wait as come.', integer(1, 100_000)),
    timeout: described('Those that waited so long get 503.', withDefault(duration, '30s')),
  }),
  between('timeout', '1ms', '1h'),
)

export const balancingPolicy = policyDefinition({
  kind: 'BalancingPolicy',
  plural: 'balancingpolicies',
  columns: policyColumns,
  description: 'Says how the instances of a service share its requests.',
  spec: ruled(
    object(
      {
        targetRefs,
        algorithm: described(
          'Which instance each request is led to.',
          withDefault(oneOf('RoundRobin', 'LeastConnections', 'ConsistentHash'), 'RoundRobin'),
        ),
        hash: described('Requests with the same value are led to the same instance.', hash),
        affinity: described(
          'A client stays with its instance.',
          object({ cookie: described('By which it is known.', cookie) }, ['cookie']),
        ),
        ejection: described('An instance that fails gets nothing for a while, unless all of them fail.', ejection),
        slowStart: described('In which an instance that comes gets more and more, up to what others get.', duration),
        concurrency: described(
          'How many requests an instance gets at a time; others wait.',
          object({ perInstance: integer(1, 100_000), queue: withDefault(queue, {}) }, ['perInstance']),
        ),
      },
      ['targetRefs'],
    ),
    rule(
      'expected hash with algorithm: ConsistentHash, and with nothing else',
      "has(self.hash) == (self.algorithm == 'ConsistentHash')",
    ),
    between('slowStart', '1s', '1h'),
  ),
  status: policyStatus,
})
