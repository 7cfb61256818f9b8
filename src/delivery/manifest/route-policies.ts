// Who may ask a route, and how much, as it is written: what has to agree in it, and what it comes to.
import { isIPv4, isIPv6 } from 'node:net'
import type { Access, Authentication, RateLimit, TokenRules } from '../engine/parts.ts'
import type { Team } from '../team/team.ts'
import type { Mistake, Path } from './field.ts'
import { loginOf, tokensOf } from './placement.ts'
import { rateLimitPattern } from './route-fields.ts'
import type { Written, WrittenLogin, WrittenRoute } from './written.ts'

const keyHeader = 'X-API-Key'
const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }
const longestSeconds = 86_400

/** undefined: everybody may ask. */
export function accessOf(route: WrittenRoute, environment: string, team: Team | undefined): Access | undefined {
  const { auth, groups, allow, deny } = route
  const login = loginFor(route, environment, team)
  if (auth === undefined && allow === undefined && deny === undefined) return undefined
  return {
    ...(allow !== undefined && { allow: allow.map(asNetwork) }),
    ...(deny !== undefined && { deny: deny.map(asNetwork) }),
    ...(login !== undefined && { authentication: asLogin(login, groups) }),
    ...(auth !== undefined &&
      login === undefined && { authentication: authenticationOf(auth, tokensOf(environment, team)) }),
    // Who logs in is no Consumer, and has the groups that the provider says.
    ...(groups !== undefined && login === undefined && { groups }),
  }
}

/** The name of the secret that is shown to the provider, in the secrets of the environment. */
export const loginSecretOf = (route: WrittenRoute, environment: string, team: Team | undefined): string | undefined =>
  loginFor(route, environment, team)?.clientSecret

/** undefined: nobody logs in. */
const loginFor = ({ auth }: WrittenRoute, environment: string, team: Team | undefined): WrittenLogin | undefined =>
  auth?.oidc ?? (auth?.way === 'oidc' ? loginOf(environment, team) : undefined)

const usualGroupsClaim = 'groups'

function asLogin(
  { issuer, clientId, scopes, claims, groupsClaim = usualGroupsClaim }: WrittenLogin,
  groups: readonly string[] | undefined,
): Authentication {
  const asked = { ...claims, ...(groups !== undefined && { [groupsClaim]: groups }) }
  return {
    kind: 'login',
    issuer,
    clientId,
    ...(scopes !== undefined && { scopes }),
    ...(Object.keys(asked).length > 0 && { claims: asked }),
  }
}

function authenticationOf(
  { way, jwt }: NonNullable<WrittenRoute['auth']>,
  usual: TokenRules | undefined,
): Authentication {
  if (way === 'keys') return { kind: 'keys', header: keyHeader }
  if (way === 'basic') return { kind: 'basic' }
  return { kind: 'token', ...(jwt ?? usual!) }
}

export function limitOf({ rateLimit, auth }: WrittenRoute): RateLimit | undefined {
  if (rateLimit === undefined) return undefined
  const [, requests = '', count = '1', unit = ''] = rateLimitPattern.exec(rateLimit) ?? []
  return {
    requests: Number(requests),
    seconds: Number(count) * secondsOf[unit]!,
    by: auth === undefined ? 'address' : 'consumer',
  }
}

/** A single address is a network, too. */
const asNetwork = (text: string): string => (text.includes('/') ? text : `${text}/${bitsOf(text)}`)

/** undefined: it is no address. */
const bitsOf = (address: string): number | undefined =>
  isIPv4(address) ? 32 : isIPv6(address) && !address.includes('.') ? 128 : undefined

function isNetwork(text: string): boolean {
  const [address = '', length] = text.split('/')
  const bits = bitsOf(address)
  return bits !== undefined && (length === undefined || (Number(length) <= bits && !/^0\d/.test(length)))
}

export function policyMistakes({ routes = [] }: Written, environment: string, team: Team | undefined): Mistake[] {
  return routes.flatMap((route, index) =>
    [...networks(route), ...groupsAlone(route), ...longTime(route), ...tokensFrom(route), ...loginsFrom(route)].map(
      ({ path, message }) => ({
        path: ['routes', index, ...path],
        message,
      }),
    ),
  )

  function tokensFrom({ auth }: WrittenRoute): Mistake[] {
    if (auth?.jwt !== undefined) return keysNowhere(auth.jwt, ['auth', 'jwt'])
    if (auth?.way !== 'jwt' || tokensOf(environment, team) !== undefined) return []
    const message =
      'expected to know the tokens, found no jwt for this environment in sampan.yml; write it there, jwt: { issuer: https://login.example.com }, or here: auth: { jwt: ... }'
    return [{ path: ['auth'], message }]
  }

  function loginsFrom(route: WrittenRoute): Mistake[] {
    const login = loginFor(route, environment, team)
    if (login === undefined && route.auth?.way === 'oidc')
      return [
        {
          path: ['auth'],
          message:
            'expected to know where people log in, found no oidc for this environment in sampan.yml; write it there, oidc: { issuer: https://login.example.com, clientId: shop, clientSecret: LOGIN_SECRET }, or here: auth: { oidc: ... }',
        },
      ]
    const claim = login?.groupsClaim ?? usualGroupsClaim
    if (route.groups === undefined || login?.claims?.[claim] === undefined) return []
    const message = `expected groups in one place, found them here and in claims.${claim} of oidc; write them in one of both`
    return [{ path: ['groups'], message }]
  }
}

/** Whose keys are to be found out has to be an address. */
export const keysNowhere = ({ issuer, keys, jwksUri }: Partial<TokenRules>, path: Path): Mistake[] =>
  issuer === undefined || keys !== undefined || jwksUri !== undefined || /^https?:\/\/[^/?#]/.test(issuer)
    ? []
    : [
        {
          path: [...path, 'issuer'],
          message: `expected an address such as https://login.example.com where its keys are found out, found ${JSON.stringify(issuer)}; write keys: SECRET or jwksUri: ADDRESS beside it otherwise`,
        },
      ]

const networks = (route: WrittenRoute): Mistake[] =>
  (['allow', 'deny'] as const).flatMap(field =>
    (route[field] ?? []).flatMap((text, index) =>
      isNetwork(text)
        ? []
        : [
            {
              path: [field, index],
              message: `expected a network such as 10.0.0.0/8, or an address, found ${JSON.stringify(text)}`,
            },
          ],
    ),
  )

const groupsAlone = ({ auth, groups }: WrittenRoute): Mistake[] =>
  groups === undefined || auth !== undefined
    ? []
    : [{ path: ['groups'], message: 'expected auth beside it, found none: who asks has to be known; write auth: keys' }]

function longTime(route: WrittenRoute): Mistake[] {
  const { seconds = 0 } = limitOf(route) ?? {}
  return seconds <= longestSeconds
    ? []
    : [{ path: ['rateLimit'], message: `expected a time of at most 24h, found "${route.rateLimit}"` }]
}
