// Tokens of an OpenID Connect provider. What the provider says of itself and its keys are fetched when its
// first token comes, and kept; a provider that cannot be reached makes its tokens no good, and nothing else.
// Source: staging/src/k8s.io/apiserver/plugin/pkg/authenticator/token/oidc.
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose'
import { fetchJson } from '../../host/bounded-request.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/logger.ts'
import { networkFaultText } from '../outgoing/network-fault.ts'
import { issuerOf, type VerifiedToken, type VerifyToken } from './verified-token.ts'

export interface OidcSettings {
  readonly issuerUrl: string
  readonly clientId: string
  /** `sub` by default. */
  readonly usernameClaim?: string
  /** By default the issuer and `#`, and nothing before an e-mail address; `-`: nothing. */
  readonly usernamePrefix?: string
  readonly groupsClaim?: string
  readonly groupsPrefix?: string
  readonly requiredClaims?: Readonly<Record<string, string>>
  /** PEM; the machine's authorities by default. */
  readonly authority?: string
  /** RS256 by default. */
  readonly signingAlgorithms?: readonly string[]
}

const timeoutMs = 5000
/** After a failure, and between looks for keys that are not known yet. */
const restMs = 10_000
const mostBytes = 1 << 20

export function oidcVerifier(settings: OidcSettings, clock: Clock, logger: Logger): VerifyToken {
  const keys = new ProviderKeys(settings, clock, logger)
  return async token => {
    if (issuerOf(token) !== settings.issuerUrl) return undefined
    const options = {
      issuer: settings.issuerUrl,
      audience: settings.clientId,
      algorithms: [...(settings.signingAlgorithms ?? ['RS256'])],
      currentDate: new Date(clock.now()),
    }
    try {
      const known = await keys.get()
      if (known === undefined) return undefined
      const { payload } = await jwtVerify(token, createLocalJWKSet(known), options).catch(async (error: unknown) => {
        // The provider may have new keys by now.
        const newer = error instanceof errors.JWKSNoMatchingKey ? await keys.renew() : undefined
        if (newer === undefined) throw error
        return jwtVerify(token, createLocalJWKSet(newer), options)
      })
      return userOf(payload, settings)
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      logger.debug('token of the OIDC provider refused', { reason: error.code })
      return undefined
    }
  }
}

function userOf(payload: JWTPayload, settings: OidcSettings): VerifiedToken | undefined {
  const { usernameClaim = 'sub', groupsClaim, groupsPrefix = '', requiredClaims = {} } = settings
  const name = payload[usernameClaim]
  if (typeof name !== 'string' || name === '' || typeof payload.exp !== 'number') return undefined
  if (usernameClaim === 'email' && payload['email_verified'] !== undefined && payload['email_verified'] !== true)
    return undefined
  if (Object.entries(requiredClaims).some(([claim, value]) => payload[claim] !== value)) return undefined
  const groups = groupsClaim === undefined ? [] : textsOf(payload[groupsClaim])
  if (groups === undefined) return undefined
  return {
    user: {
      username: prefixOf(settings) + name,
      groups: [...groups.map(group => groupsPrefix + group), 'system:authenticated'],
      ...(payload.jti !== undefined && {
        extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${payload.jti}`] },
      }),
    },
    expiresMs: payload.exp * 1000,
  }
}

function prefixOf({ usernameClaim = 'sub', usernamePrefix, issuerUrl }: OidcSettings): string {
  if (usernamePrefix === undefined || usernamePrefix === '') return usernameClaim === 'email' ? '' : `${issuerUrl}#`
  return usernamePrefix === '-' ? '' : usernamePrefix
}

/** One text or several; none when nothing is said; undefined: something else. */
function textsOf(value: unknown): string[] | undefined {
  const list = value === undefined ? [] : [value].flat()
  return list.every(item => typeof item === 'string') ? list : undefined
}

/** The provider's public keys, fetched by one request at a time. */
class ProviderKeys {
  private readonly settings: OidcSettings
  private readonly clock: Clock
  private readonly logger: Logger
  private known: JSONWebKeySet | undefined
  private triedMs = -Infinity
  private fetching: Promise<JSONWebKeySet | undefined> | undefined

  constructor(settings: OidcSettings, clock: Clock, logger: Logger) {
    this.settings = settings
    this.clock = clock
    this.logger = logger
  }

  async get(): Promise<JSONWebKeySet | undefined> {
    return this.known ?? this.renew()
  }

  /** undefined: they cannot be had now. */
  async renew(): Promise<JSONWebKeySet | undefined> {
    if (this.fetching !== undefined) return this.fetching
    if (this.clock.now() - this.triedMs < restMs) return undefined
    this.triedMs = this.clock.now()
    this.fetching = this.fetch()
      .then(
        keys => (this.known = keys),
        (error: unknown) => {
          this.logger.warn('the OIDC provider cannot be asked for its keys; its tokens are refused meanwhile', {
            issuer: this.settings.issuerUrl,
            error: networkFaultText(error),
          })
          return undefined
        },
      )
      .finally(() => {
        this.fetching = undefined
      })
    return this.fetching
  }

  private async fetch(): Promise<JSONWebKeySet> {
    const { issuerUrl, authority } = this.settings
    const asked = { timeoutMs, mostBytes, ...(authority !== undefined && { authority }) }
    const about = (await fetchJson(`${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`, asked)) as {
      issuer?: unknown
      jwks_uri?: unknown
    }
    if (about.issuer !== issuerUrl)
      throw new Error(`expected the issuer ${issuerUrl} in its configuration, found ${String(about.issuer)}`)
    if (typeof about.jwks_uri !== 'string' || !about.jwks_uri.startsWith('https://'))
      throw new Error('expected jwks_uri with an https address in its configuration')
    const keys = (await fetchJson(about.jwks_uri, asked)) as Partial<JSONWebKeySet>
    if (!Array.isArray(keys.keys)) throw new Error('expected a list of keys at jwks_uri')
    return keys as JSONWebKeySet
  }
}
