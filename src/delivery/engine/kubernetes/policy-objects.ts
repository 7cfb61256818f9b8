// Who may ask a route, and how much, as policies of Sampan's own gateway: they bear the name of the route, and are for what
// it became. Pure.
import { accessPolicies, trafficPolicies } from '../../../api/gateway-api/resources.ts'
import type { AccessPolicy, PolicyTarget, TrafficPolicy } from '../../../api/gateway-api/policies.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import type { Access, Authentication, LoginRules, RateLimit, Route, TokenRules } from '../parts.ts'
import { objectName, partMetadata } from './labels.ts'
import { typed, type TypedObject } from './typed-object.ts'

type WrittenAuthentication = NonNullable<AccessPolicy['spec']['authentication']>

/** Both kinds, in the order in which they are written. */
export const policyKinds = [accessPolicies, trafficPolicies] as unknown as readonly Resource<PolicyObject>[]

export type PolicyObject = KubeObject & Pick<AccessPolicy, 'status'>

export const isPoliced = ({ access, limit }: Route): boolean => access !== undefined || limit !== undefined

/** The kinds of policies that a route asks for. */
export const policyKindsOf = ({ access, limit }: Route): readonly Resource[] => [
  ...(access === undefined ? [] : [accessPolicies as unknown as Resource]),
  ...(limit === undefined ? [] : [trafficPolicies as unknown as Resource]),
]

/** @param targets kinds of objects that the route is; two while it is moved */
export function policyObjects(namespace: string, route: Route, targets: readonly Resource[]): readonly TypedObject[] {
  const { name, service, access, limit } = route
  const metadata = partMetadata(namespace, name, service)
  const targetRefs = targets.map(({ group, kind }): PolicyTarget => ({ group, kind, name: objectName(name) }))
  return [
    ...(access === undefined
      ? []
      : [typed<AccessPolicy>(accessPolicies, { metadata, spec: { targetRefs, ...accessSpec(access) } })]),
    ...(limit === undefined
      ? []
      : [typed<TrafficPolicy>(trafficPolicies, { metadata, spec: { targetRefs, rateLimits: [limitSpec(limit)] } })]),
  ]
}

function accessSpec({ allow, deny, authentication, groups }: Access): Omit<AccessPolicy['spec'], 'targetRefs'> {
  const addresses = { ...(allow && { allow: [...allow] }), ...(deny && { deny: [...deny] }) }
  return {
    ...((allow ?? deny) !== undefined && { addresses }),
    ...(authentication !== undefined && { authentication: authenticationSpec(authentication) }),
    ...(groups !== undefined && { groups: [...groups] }),
  }
}

function authenticationSpec(authentication: Authentication): WrittenAuthentication {
  switch (authentication.kind) {
    case 'keys':
      return { keys: { header: authentication.header } }
    case 'basic':
      return { basic: { realm: 'restricted' } }
    case 'token': {
      const { issuer, audiences, keys, jwksUri, claims } = authentication
      return {
        jwt: {
          issuer,
          ...(audiences !== undefined && { audiences: [...audiences] }),
          ...(keys !== undefined && { keysRef: { kind: 'Secret', name: keys } }),
          ...(jwksUri !== undefined && { jwksUri }),
          ...claimsSpec(claims),
          consumerClaim: 'sub',
        },
      }
    }
    case 'login':
      return { oidc: loginSpec(authentication) }
  }
}

/** What it leaves out is said, so that what is written can be compared with what there is. */
const loginSpec = ({
  issuer,
  clientId,
  secret,
  scopes,
  claims,
}: LoginRules): NonNullable<WrittenAuthentication['oidc']> => ({
  issuer,
  clientID: clientId,
  ...(secret !== undefined && { clientSecretRef: { name: secret } }),
  ...(scopes !== undefined && { scopes: [...scopes] }),
  redirectPath: '/oauth2/callback',
  logoutPath: '/oauth2/logout',
  sessionDuration: '8h',
  ...claimsSpec(claims),
  consumerClaim: 'sub',
})

function claimsSpec(claims: TokenRules['claims'] = {}): { readonly claims?: Record<string, string[]> } {
  const values = Object.entries(claims).map(([name, each]): [string, string[]] => [name, [...each]])
  return values.length === 0 ? {} : { claims: Object.fromEntries(values) }
}

const limitSpec = ({ requests, seconds, by }: RateLimit): NonNullable<TrafficPolicy['spec']['rateLimits']>[number] => ({
  requests,
  per: `${seconds}s`,
  by: by === 'consumer' ? 'Consumer' : 'Address',
})
