// Kong's plugin openid-connect: people log in (`authorization_code`), and programs show tokens of the same issuer (`bearer`).
// Each is made when all that it asks for has an equal; where neither can be, nobody is let in. Pure.
// Source: Kong, plugin openid-connect.
import type { LoginRules, TokenRules } from '../../api/gateway-api/policies.ts'
import { addressProblem } from '../providers/provider-address.ts'
import type { ImportContext } from './context.ts'
import type { Fields } from './fields.ts'
import { consumersBy, groupsClaimIn, wantedClaims } from './kong-login-claims.ts'
import { tellKong, tellOthers } from './kong-login-rest.ts'
import { routesOf, type KongFile, type ScopedPlugin } from './kong-file.ts'
import type { Made } from './kong-policies.ts'

export interface PluginScope {
  /** Of policies that are made of it. */
  readonly name: string
  readonly scoped: ScopedPlugin
  readonly file: KongFile
  readonly context: ImportContext
}

const usualMethods = [
  'password',
  'client_credentials',
  'authorization_code',
  'bearer',
  'introspection',
  'userinfo',
  'kong_oauth2',
  'refresh_token',
  'session',
]

const noEqual: Readonly<Record<string, string>> = {
  password: 'no password is shown to the issuer for a client; have people log in (authorization_code)',
  client_credentials: 'no token is got for a client; have it get one and show it (bearer)',
  introspection: 'no token is shown to the issuer; give out tokens that are signed (bearer)',
  userinfo: 'no token is shown to the issuer; give out tokens that are signed (bearer)',
  kong_oauth2: 'tokens of Kong itself are none of an issuer; use those of one',
  refresh_token: 'no token is got for a client; have it get one and show it (bearer)',
}

export function loginAuth(config: Fields, scope: PluginScope): Made {
  const { report, at } = config
  const methods = config.texts('auth_methods') ?? usualMethods
  const issuer = issuerOf(config)
  const claims = wantedClaims(config)
  const consumers = consumersBy(config, scope.file)
  const groupsClaim = groupsClaimIn(config)
  for (const method of methods)
    if (!['authorization_code', 'bearer', 'session'].includes(method))
      report.leftOut(config.place('auth_methods'), `${method}: ${noEqual[method] ?? 'it is not known here'}`)
  tellOthers(config)
  const isOpen = issuer !== undefined && !consumers.isNobody && claims.problem === undefined
  const common = { consumerClaim: consumers.claim, claims: claims.both }
  const login =
    isOpen && issuer.isAddress && methods.includes('authorization_code')
      ? loginOf(config, scope, { ...common, issuer: issuer.text, refusal: claims.ofLogins })
      : undefined
  const jwt =
    isOpen && methods.includes('bearer')
      ? tokensOf(config, { ...common, issuer, extra: claims.tokensAlone, refusal: claims.ofTokens })
      : undefined
  tellKong(config)
  if (login === undefined && jwt === undefined) {
    report.leftOut(
      at,
      claims.problem ??
        'neither people who log in nor programs with tokens can be let in; nobody is until you write an AccessPolicy in its place',
    )
    return { isClosed: true }
  }
  report.changed(at, 'services are told who asks by X-Consumer-Name, and get no token and no claims in other headers')
  return {
    authentication: { ...(jwt !== undefined && { jwt }), ...(login !== undefined && { oidc: login.rules }) },
    ...(login?.secret !== undefined && { objects: [login.secret] }),
    ...(consumers.names !== undefined && { consumers: consumers.names }),
    ...(groupsClaim !== undefined && { groupsClaim }),
  }
}

interface FoundIssuer {
  readonly text: string
  readonly isAddress: boolean
}

const discovery = '/.well-known/openid-configuration'

/** Where its discovery is, or what tokens say of it. */
function issuerOf(config: Fields): FoundIssuer | undefined {
  const { report, place } = config
  const given = config.text('issuer')
  const allowed = config.texts('issuers_allowed') ?? []
  if (given === undefined)
    return config.has('issuer')
      ? undefined
      : report.leftOut(place('issuer'), 'expected the address of the issuer, found none')
  if (allowed.length > 1)
    report.leftOut(
      place('issuers_allowed'),
      `an AccessPolicy has one issuer: tokens of ${allowed.slice(1).join(', ')} are not taken`,
    )
  const plain = given.endsWith(discovery) ? given.slice(0, -discovery.length) : given
  const text = allowed[0] ?? plain
  if (allowed.length > 0)
    report.changed(place('issuers_allowed'), `${text} is the issuer, whose keys are where it says`)
  else if (plain !== given)
    report.changed(
      place('issuer'),
      `tokens have to say ${plain} as iss, letter by letter (some have a slash at the end): see issuer in ${given}`,
    )
  const isAddress = /^https?:\/\//.test(text)
  const problem = isAddress ? addressProblem(text) : undefined
  if (problem !== undefined) return report.leftOut(place('issuer'), problem)
  return { text, isAddress }
}

interface Asked {
  readonly consumerClaim: string
  readonly claims: Readonly<Record<string, string[]>>
  /** Why that way in is not made. */
  readonly refusal: string | undefined
}

function tokensOf(
  config: Fields,
  {
    issuer,
    claims,
    extra,
    refusal,
    consumerClaim,
  }: Asked & { readonly issuer: FoundIssuer; readonly extra: Readonly<Record<string, string[]>> },
): TokenRules | undefined {
  const { report, place } = config
  const uris = config.texts('extra_jwks_uris') ?? []
  const types = config.texts('bearer_token_param_type')
  const at = place('auth_methods')
  if (uris.length > 0 && (issuer.isAddress || uris.length > 1))
    report.leftOut(place('extra_jwks_uris'), `keys are those of ${issuer.isAddress ? 'the issuer' : uris[0]!} alone`)
  if (!issuer.isAddress && uris.length === 0)
    return report.leftOut(at, `bearer: where the keys of ${issuer.text} are is not said; write jwksUri`)
  if (types !== undefined && !types.includes('header'))
    return report.leftOut(at, 'bearer: a token is looked for in Authorization: Bearer alone; have clients send it so')
  if (types === undefined || types.length > 1)
    report.changed(
      types === undefined ? at : place('bearer_token_param_type'),
      'a token is looked for in Authorization: Bearer alone, and not in the query or in the body',
    )
  if (refusal !== undefined) return report.leftOut(at, `bearer: ${refusal}`)
  const audiences = extra['aud']
  const all = { ...claims, ...Object.fromEntries(Object.entries(extra).filter(([name]) => name !== 'aud')) }
  return {
    issuer: issuer.text,
    ...(audiences !== undefined && { audiences }),
    ...(!issuer.isAddress && { jwksUri: uris[0]! }),
    ...(Object.keys(all).length > 0 && { claims: all }),
    consumerClaim,
  }
}

const defaultRedirect = '/oauth2/callback'
const usualLogout = '/oauth2/logout'
const mostScopes = 16

function loginOf(
  config: Fields,
  { name, scoped, file, context }: PluginScope,
  { issuer, claims, refusal, consumerClaim }: Asked & { readonly issuer: string },
): { readonly rules: LoginRules; readonly secret?: object } | undefined {
  const { report, place } = config
  const ids = config.texts('client_id')
  const secrets = config.texts('client_secret')
  const ways = config.texts('client_auth') ?? []
  const at = place('auth_methods')
  const [clientID] = ids ?? []
  const redirectPath = redirectPathOf(config, routesOf(file, scoped)) ?? defaultRedirect
  const rules = {
    redirectPath,
    logoutPath: logoutPathOf(config, redirectPath),
    sessionDuration: `${sessionSeconds(config)}s`,
    scopes: (config.texts('scopes') ?? []).filter(scope => scope !== 'openid').slice(0, mostScopes),
  }
  if (refusal !== undefined) return report.leftOut(at, `authorization_code: ${refusal}`)
  if (clientID === undefined)
    return report.leftOut(at, 'authorization_code: expected client_id, by which the issuer knows this client')
  if ((ids?.length ?? 0) > 1)
    report.leftOut(
      place('client_id'),
      `people log in as by the first client alone, and not by ${ids!.slice(1).join(', ')}`,
    )
  if (config.has('client_secret') && secrets === undefined)
    return report.leftOut(at, 'authorization_code: the client_secret is not in the file')
  if (ways.some(way => !['client_secret_basic', 'client_secret_post', 'none'].includes(way)))
    return report.leftOut(place('client_auth'), 'the issuer is shown a client_secret, and nothing else; use one')
  const [value] = secrets ?? []
  const secretName = value === undefined ? undefined : context.names.take('Secret', `${name}-login`)
  if (secretName !== undefined) report.kept(place('client_secret'), `the Secret ${secretName}`)
  const { scopes, ...paths } = rules
  return {
    rules: {
      issuer,
      clientID,
      ...(secretName !== undefined && { clientSecretRef: { name: secretName } }),
      ...(scopes.length > 0 && { scopes }),
      ...paths,
      ...(Object.keys(claims).length > 0 && { claims }),
      consumerClaim,
    },
    ...(secretName !== undefined && {
      secret: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: secretName, namespace: context.namespace },
        type: 'Opaque',
        stringData: { 'client-secret': value! },
      },
    }),
  }
}

const isLoginPath = (path: string): boolean => path.length <= 256 && /^(?:\/[A-Za-z0-9._~-]+)+$/.test(path)

/** What is below it is the login, too, so that it may be no page of a route. */
function redirectPathOf(config: Fields, routes: readonly Fields[]): string | undefined {
  const { report, place } = config
  const [uri] = config.texts('redirect_uri') ?? []
  const known = `let the provider know https://HOST${defaultRedirect}, for each host`
  if (uri === undefined)
    return report.changed(place('redirect_uri'), `people come back to a path of the gateway's own: ${known}`)
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  const hosts = routes.flatMap(route => route.texts('hosts') ?? [])
  const isPage = routes
    .flatMap(route => route.texts('paths') ?? ['/'])
    .some(path => url !== undefined && `${path.replace(/^~/, '')}/`.startsWith(`${url.pathname.replace(/\/+$/, '')}/`))
  if (url === undefined || !isLoginPath(url.pathname) || isPage || !hosts.includes(url.hostname))
    return report.changed(
      place('redirect_uri'),
      `${uri} is ${isPage ? 'a page of a route' : 'no path of a host of its routes'}, and people come back to a path of the gateway's own: ${known}`,
    )
  if (hosts.length > 1)
    report.changed(
      place('redirect_uri'),
      `people come back to the host that they came from: let the provider know https://HOST${url.pathname}, for each host`,
    )
  else report.kept(place('redirect_uri'), `people come back to ${url.pathname}`)
  return url.pathname
}

function logoutPathOf(config: Fields, redirectPath: string): string {
  const { report, place } = config
  const suffix = config.text('logout_uri_suffix')
  if (suffix === undefined) return usualLogout
  if (!isLoginPath(suffix) || suffix === redirectPath) {
    report.changed(place('logout_uri_suffix'), `people log out at ${usualLogout} of each host`)
    return usualLogout
  }
  report.changed(place('logout_uri_suffix'), `people log out at ${suffix} of each host, and at no longer path`)
  return suffix
}

/** Of Kong. */
const usualSeconds = 3600
const mostSeconds = 99_999

/** As long as Kong lets somebody stay without coming back. */
function sessionSeconds(config: Fields): number {
  const { report, at } = config
  const given = ['session_rolling_timeout', 'session_cookie_lifetime', 'session_absolute_timeout']
    .map(key => config.number(key))
    .filter(seconds => seconds !== undefined && seconds >= 1)
  const seconds = Math.min(
    mostSeconds,
    Math.round(Math.min(...(given.length === 0 ? [usualSeconds] : (given as number[])))),
  )
  report.changed(at, `a session ends after ${seconds} s (sessionDuration), and is not prolonged by its use`)
  return seconds
}
