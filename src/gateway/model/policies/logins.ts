// How people log in, as an access policy says it. Who logged in has a session: a token of the gateway's own, which is
// verified as any other one is. Pure.
import type { AccessPolicy, LoginRules } from '../../../api/gateway-api/policies.ts'
import { addressProblem } from '../../providers/provider-address.ts'
import { hashOf } from '../backends.ts'
import { durationMs } from '../durations.ts'
import { fails, type Finding } from '../findings.ts'
import { ownerOf } from '../host-rule.ts'
import type { Login, LoginCheck } from '../policing.ts'
import { askedClaims, vouchedBy } from './asked-claims.ts'
import type { PolicyInputs } from './policy-inputs.ts'

/** Of sessions. */
export const sessionIssuer = 'sampan'
/** In which a session has what the provider said. */
export const providerClaims = 'said'

export interface MadeLogin {
  readonly check: LoginCheck
  /** undefined: nobody can log in. */
  readonly login?: Login
  readonly findings: readonly Finding[]
}

export function loginOf(rules: LoginRules, policy: AccessPolicy, inputs: PolicyInputs): MadeLogin {
  const { issuer, clientID, clientSecretRef, scopes = [], redirectPath, logoutPath, sessionDuration } = rules
  const namespace = policy.metadata.namespace ?? ''
  // What somebody else vouched for is no session here, nor what was vouched for by other rules.
  const id = hashOf([
    ownerOf(policy),
    policy.metadata.uid ?? '',
    issuer,
    clientID,
    rules.consumerClaim,
    sessionDuration,
  ])
  const claims = askedClaims(rules.claims)
  const secret: FoundSecret =
    clientSecretRef === undefined
      ? {}
      : clientSecret(clientSecretRef.name, inputs.secret(namespace, clientSecretRef.name))
  const authority = vouchedBy(rules.caRef, namespace, inputs)
  const problem = addressProblem(issuer)
  // Who is logged in stays so, and it may come later.
  const away =
    problem === undefined && authority.finding === undefined
      ? inputs.fetchedKeys({ issuer, ...(authority.pem !== undefined && { authority: authority.pem }) }).problem
      : undefined
  const findings: readonly Finding[] = [
    ...(problem === undefined ? [] : [fails('Accepted', 'Invalid', `issuer: ${problem}`)]),
    ...[secret, authority].flatMap(({ finding }) => finding ?? []),
  ]
  return {
    check: {
      session: {
        issuer: sessionIssuer,
        audiences: [id],
        keys: inputs.sessionKey === undefined ? [] : [inputs.sessionKey],
        claims: claims.map(({ name, values }) => ({ name: `${providerClaims}.${name}`, values })),
        consumerClaim: 'sub',
      },
      cookie: sessionCookie(id),
      start: `${redirectPath}${loginStart}?login=${id}&to=`,
      redirectPath,
      logoutPath,
    },
    ...(findings.length === 0 && {
      login: {
        id,
        issuer,
        clientId: clientID,
        ...(secret.value !== undefined && { clientSecret: secret.value }),
        scopes,
        redirectPath,
        logoutPath,
        sessionMs: durationMs(sessionDuration),
        ...(authority.pem !== undefined && { authority: authority.pem }),
        claims,
        consumerClaim: rules.consumerClaim,
      },
    }),
    findings: [
      ...findings,
      ...(away === undefined
        ? []
        : [fails('ResolvedRefs', 'ProviderNotReached', `nobody can log in at ${issuer}: ${away}`)]),
    ],
  }
}

/** Behind the path to which the provider sends people back. */
export const loginStart = '/start'

export const sessionCookie = (id: string): string => `sampan-session-${id}`

interface FoundSecret {
  readonly value?: string
  readonly finding?: Finding
}

function clientSecret(name: string, data: Readonly<Record<string, string>> | undefined): FoundSecret {
  const value = data?.['client-secret']?.trim()
  if (value !== undefined && value !== '') return { value }
  const found = data === undefined ? 'there is no such Secret' : `found ${Object.keys(data).join(', ') || 'nothing'}`
  return {
    finding: fails('ResolvedRefs', 'InvalidClientSecret', `expected client-secret in the Secret "${name}", ${found}`),
  }
}
