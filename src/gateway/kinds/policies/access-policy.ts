// AccessPolicy: who may ask.
import { duration, objectName } from '../names-and-references.ts'
import { described, list, map, object, oneOf, rule, ruled, text, whole, withDefault } from '../schema.ts'
import { policyColumns, policyDefinition, policyStatus, targetRefs } from './definition.ts'
import { headerName } from './header-name.ts'

const network = ruled({ ...text(43, 2) }, rule('expected a network such as 10.0.0.0/8', 'isCIDR(self)'))
const networks = list(network, 256)

const keys = ruled(
  object({ header: headerName, queryParameter: { ...text(64, 1), pattern: '^[A-Za-z0-9_.-]+$' } }),
  rule('expected header or queryParameter', 'has(self.header) || has(self.queryParameter)'),
)

const claimName = '^[A-Za-z0-9_-]+$'
const claimed = {
  claims: described('Name -> values, one of which has to be there.', map(list(text(253, 1), 16, 1), 16)),
  consumerClaim: described('Whose value says who asks.', withDefault({ ...text(64, 1), pattern: claimName }, 'sub')),
}
const namesOfClaims = rule(
  'names of claims have letters, digits, _ and -',
  `has(self.claims) ? self.claims.all(name, name.matches('${claimName}')) : true`,
)
const caRef = described(
  'A ConfigMap whose ca.crt vouches for the provider, in place of the authorities of the machine.',
  object({ name: objectName }, ['name']),
)
const address = { ...text(2048, 1), pattern: '^https?://[^/?#]+' }

const jwt = ruled(
  object(
    {
      issuer: described('What iss has to be.', text(253, 1)),
      audiences: described('One of them has to be in aud.', list(text(253, 1), 16)),
      keysRef: described(
        'The keys of those who sign: a Secret or ConfigMap with jwks.json, or with PEM in key.pem. Without it and jwksUri, the keys are where the issuer says.',
        object({ kind: withDefault(oneOf('Secret', 'ConfigMap'), 'Secret'), name: objectName }, ['name']),
      ),
      jwksUri: described('Where the keys of those who sign are.', address),
      caRef,
      ...claimed,
    },
    ['issuer'],
  ),
  namesOfClaims,
  rule('expected keysRef or jwksUri, not both', '!(has(self.keysRef) && has(self.jwksUri))'),
  rule(
    'without keysRef and jwksUri, issuer has to be an address',
    "has(self.keysRef) || has(self.jwksUri) || self.issuer.matches('^https?://[^/?#]+')",
  ),
)

const pathOfLogin = { ...text(256, 2), pattern: '^(/[A-Za-z0-9._~-]+)+$' }
const oidc = ruled(
  object(
    {
      issuer: described('The provider.', address),
      clientID: described('As the provider knows this client.', text(256, 1)),
      clientSecretRef: described(
        'A Secret with client-secret; without it the client is a public one.',
        object({ name: objectName }, ['name']),
      ),
      scopes: described('What is asked for beyond openid.', list(text(128, 1), 16)),
      redirectPath: described(
        'To which the provider sends people back: what it has to know as https://HOST/PATH. What is below it is the login, too.',
        withDefault(pathOfLogin, '/oauth2/callback'),
      ),
      logoutPath: described('Who asks for it is logged out.', withDefault(pathOfLogin, '/oauth2/logout')),
      sessionDuration: described('For which nobody has to log in again.', withDefault(duration, '8h')),
      caRef,
      ...claimed,
    },
    ['issuer', 'clientID'],
  ),
  namesOfClaims,
  rule('redirectPath and logoutPath are two', 'self.redirectPath != self.logoutPath'),
)

const authentication = ruled(
  object({
    keys: described('A key in a header or in the query.', keys),
    basic: described('A name and a password.', object({ realm: withDefault(text(64, 1), 'restricted') })),
    jwt: described('A signed token in Authorization: Bearer, which has exp.', jwt),
    oidc: described('People log in at a provider of OpenID Connect.', oidc),
  }),
  rule('expected keys, basic, jwt or oidc', 'has(self.keys) || has(self.basic) || has(self.jwt) || has(self.oidc)'),
)

export const accessPolicy = policyDefinition({
  kind: 'AccessPolicy',
  plural: 'accesspolicies',
  columns: policyColumns,
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
