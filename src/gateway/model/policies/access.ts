// What an access policy asks for. Pure.
import type { AccessPolicy, TokenRules } from '../../../api/gateway-api/policies.ts'
import { hashOf } from '../backends.ts'
import { consumerNotFound, holds, type Finding } from '../findings.ts'
import { ownerOf } from '../host-rule.ts'
import type { Credentials, Identity, KnownConsumer, Login, Policing, TokenCheck } from '../policing.ts'
import type { OwnConsumer } from './consumers.ts'
import type { PolicyInputs } from './policy-inputs.ts'
import { askedClaims, vouchedBy } from './asked-claims.ts'
import { loginOf } from './logins.ts'
import { providerKeys, signingKeys, type FoundKeys } from './signing-keys.ts'

export interface MadeAccess {
  readonly policing: Policing
  readonly credentials: ReadonlyMap<string, Credentials>
  readonly login?: Login
  readonly findings: readonly Finding[]
}

export function accessOf(policy: AccessPolicy, consumers: readonly OwnConsumer[], inputs: PolicyInputs): MadeAccess {
  const source = ownerOf(policy)
  const { addresses, authentication } = policy.spec
  const credentials = new Map<string, Credentials>()
  const known = consumers.filter(({ consumer }) => consumer.metadata.namespace === policy.metadata.namespace)
  /** Digests of one way, by a name that stays while they change. */
  const table = (way: 'Key' | 'Basic'): string => {
    const id = `${way.toLowerCase()}_${hashOf(source)}`
    credentials.set(id, credentialsOf(known, way, policy))
    return id
  }
  const token = authentication?.jwt === undefined ? undefined : tokenCheck(authentication.jwt, policy, known, inputs)
  const login = authentication?.oidc === undefined ? undefined : loginOf(authentication.oidc, policy, inputs)
  const identity: Identity | undefined = authentication && {
    ...(authentication.keys !== undefined && { keys: { ...authentication.keys, credentials: table('Key') } }),
    ...(authentication.basic !== undefined && {
      basic: { realm: authentication.basic.realm, credentials: table('Basic') },
    }),
    ...(token !== undefined && { token: token.check }),
    ...(login !== undefined && {
      login: { ...login.check, session: { ...login.check.session, ...letIn(policy, known) } },
    }),
  }
  return {
    // Without its keys no token is good, and other ways in are as they were.
    policing: {
      source,
      ...(addresses !== undefined && {
        addresses: { ...(addresses.allow !== undefined && { allow: addresses.allow }), deny: addresses.deny ?? [] },
      }),
      ...(identity !== undefined && { identity }),
    },
    credentials,
    ...(login?.login !== undefined && { login: login.login }),
    findings: [...(token?.findings ?? []), ...(login?.findings ?? []), ...unknownConsumers(policy, known)],
  }
}

/** Nobody is let in by what nobody has. It may come later, so that the policy is as good as any. */
function unknownConsumers(
  { metadata: { namespace }, spec: { authentication, consumers = [], groups = [] } }: AccessPolicy,
  known: readonly OwnConsumer[],
): readonly Finding[] {
  const ways = [
    ...(authentication?.keys === undefined ? [] : (['Key'] as const)),
    ...(authentication?.basic === undefined ? [] : (['Basic'] as const)),
  ]
  const isNamed = (name: string): boolean => known.some(({ consumer }) => consumer.metadata.name === name)
  const hasMember = (group: string): boolean =>
    known.some(({ consumer }) => consumer.spec.groups?.includes(group) === true)
  const words = [
    ...(ways.length > 0 && !known.some(({ shown }) => ways.some(way => shown[way].length > 0))
      ? [`no Consumer of the namespace ${namespace} has ${ways.map(way => shownAs[way]).join(' or ')}`]
      : []),
    // Others are named by tokens and logins.
    ...(ways.length > 0 && authentication?.jwt === undefined && authentication?.oidc === undefined
      ? consumers
          .filter(name => !isNamed(name))
          .map(name => `there is no Consumer "${name}" in the namespace ${namespace}`)
      : []),
    ...groups
      .filter(group => !hasMember(group))
      .map(group => `no Consumer of the namespace ${namespace} is in the group "${group}"`),
  ]
  return words.length === 0
    ? []
    : [holds('Accepted', consumerNotFound, `requests are treated as it says; ${words.join('; ')}`)]
}

const shownAs = { Key: 'a key', Basic: 'a name and a password' } as const

function credentialsOf(known: readonly OwnConsumer[], way: 'Key' | 'Basic', policy: AccessPolicy): Credentials {
  const table = new Map<string, KnownConsumer>()
  for (const { consumer, shown } of known)
    for (const digest of shown[way])
      table.set(digest, { name: consumer.metadata.name, isRefused: !letsIn(policy, consumer) })
  return table
}

/** By name or by group; without both: everybody. */
function letsIn({ spec }: AccessPolicy, { metadata, spec: { groups = [] } }: OwnConsumer['consumer']): boolean {
  if (spec.consumers === undefined && spec.groups === undefined) return true
  return spec.consumers?.includes(metadata.name) === true || groups.some(group => spec.groups?.includes(group) === true)
}

const namesIn = (known: readonly OwnConsumer[], policy: AccessPolicy): readonly string[] =>
  known.filter(({ consumer }) => letsIn(policy, consumer)).map(({ consumer }) => consumer.metadata.name)

/** undefined: everybody. */
const letIn = (policy: AccessPolicy, known: readonly OwnConsumer[]): Pick<TokenCheck, 'consumers'> =>
  policy.spec.consumers === undefined && policy.spec.groups === undefined
    ? {}
    : { consumers: [...new Set([...(policy.spec.consumers ?? []), ...namesIn(known, policy)])] }

function tokenCheck(
  { issuer, audiences = [], claims, consumerClaim, ...rules }: TokenRules,
  policy: AccessPolicy,
  known: readonly OwnConsumer[],
  inputs: PolicyInputs,
): { readonly check: TokenCheck; readonly findings: readonly Finding[] } {
  const { keys, findings } = keysOf({ issuer, ...rules }, policy.metadata.namespace ?? '', inputs)
  return {
    check: { issuer, audiences, keys, claims: askedClaims(claims), consumerClaim, ...letIn(policy, known) },
    findings,
  }
}

function keysOf(
  { issuer, keysRef, jwksUri, caRef }: Pick<TokenRules, 'issuer' | 'keysRef' | 'jwksUri' | 'caRef'>,
  namespace: string,
  inputs: PolicyInputs,
): FoundKeys {
  if (keysRef !== undefined) return signingKeys(keysRef, namespace, inputs)
  const { pem, finding } = vouchedBy(caRef, namespace, inputs)
  if (finding !== undefined) return { keys: [], findings: [finding] }
  return providerKeys(
    { issuer, ...(jwksUri !== undefined && { uri: jwksUri }), ...(pem !== undefined && { authority: pem }) },
    inputs,
  )
}
