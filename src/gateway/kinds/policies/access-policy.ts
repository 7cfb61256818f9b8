// AccessPolicy: who may ask.
import { objectName } from '../names-and-references.ts'
import { described, list, map, object, oneOf, rule, ruled, text, whole, withDefault } from '../schema.ts'
import { policyDefinition, policyStatus, targetRefs } from './definition.ts'
import { headerName } from './header-name.ts'

const network = ruled({ ...text(43, 2) }, rule('expected a network such as 10.0.0.0/8', 'isCIDR(self)'))
const networks = list(network, 256)

const keys = ruled(
  object({ header: headerName, queryParameter: { ...text(64, 1), pattern: '^[A-Za-z0-9_.-]+$' } }),
  rule('expected header or queryParameter', 'has(self.header) || has(self.queryParameter)'),
)

const claimName = '^[A-Za-z0-9_-]+$'
const jwt = object(
  {
    issuer: described('What iss has to be.', text(253, 1)),
    audiences: described('One of them has to be in aud.', list(text(253, 1), 16)),
    keysRef: described(
      'The keys of those who sign: a Secret or ConfigMap with jwks.json, or with PEM in key.pem.',
      object({ kind: withDefault(oneOf('Secret', 'ConfigMap'), 'Secret'), name: objectName }, ['name']),
    ),
    claims: described('Name -> values, one of which has to be there.', map(list(text(253, 1), 16, 1), 16)),
    consumerClaim: described('Whose value says who asks.', withDefault({ ...text(64, 1), pattern: claimName }, 'sub')),
  },
  ['issuer', 'keysRef'],
)

const authentication = ruled(
  object({
    keys: described('A key in a header or in the query.', keys),
    basic: described('A name and a password.', object({ realm: withDefault(text(64, 1), 'restricted') })),
    jwt: described(
      'A signed token in Authorization: Bearer, which has exp.',
      ruled(
        jwt,
        rule(
          'names of claims have letters, digits, _ and -',
          `has(self.claims) ? self.claims.all(name, name.matches('${claimName}')) : true`,
        ),
      ),
    ),
  }),
  rule('expected keys, basic or jwt', 'has(self.keys) || has(self.basic) || has(self.jwt)'),
)

export const accessPolicy = policyDefinition({
  kind: 'AccessPolicy',
  plural: 'accesspolicies',
  description: 'Says who may ask. Of several that are for a request, each has to agree.',
  spec: ruled(
    object(
      {
        targetRefs,
        addresses: described(
          'Where requests may come from: none of deny, and one of allow where it is given.',
          object({ allow: { ...networks, minItems: 1 }, deny: networks }),
        ),
        authentication: described('Ways to show who one is; one of them is enough.', authentication),
        consumers: described(
          'Names of those that are let in; without consumers and groups all are.',
          list(objectName, 64, 1),
        ),
        groups: described('Whose consumers are let in.', list(text(63, 1), 64, 1)),
      },
      ['targetRefs'],
    ),
    rule('expected addresses or authentication', 'has(self.addresses) || has(self.authentication)'),
    rule(
      'consumers and groups need authentication',
      'has(self.consumers) || has(self.groups) ? has(self.authentication) : true',
    ),
  ),
  status: whole({ ...policyStatus.properties }),
})
