// A provider of OpenID Connect: where it sends people to, and what it says of those who come back. Source: OpenID Connect
// Core 1.0, 3.1, with PKCE (RFC 7636).
import type { JWTPayload } from 'jose'
import * as oidc from 'openid-client'
import type { Login } from '../model/policing.ts'
import type { AskProvider } from '../providers/provider-access.ts'
import type { BegunLogin } from './tokens.ts'

export class Provider {
  private readonly login: Login
  private readonly configuration: oidc.Configuration

  private constructor(login: Login, configuration: oidc.Configuration) {
    this.login = login
    this.configuration = configuration
  }

  /** @throws Error when it does not say what it is */
  static async find(login: Login, ask: AskProvider): Promise<Provider> {
    const { issuer, clientId, clientSecret, authority } = login
    const fetch: oidc.CustomFetch = async (url, { method, headers, body }) => {
      const answer = await ask(url, {
        method,
        headers: Object.fromEntries(new Headers(headers)),
        ...(body !== undefined && body !== null && { body: String(body as string | URLSearchParams) }),
        ...(authority !== undefined && { authority }),
      })
      return new Response(answer.status === 204 ? null : new Uint8Array(answer.body), {
        status: answer.status,
        headers: Object.entries(answer.headers).flatMap(([name, value]) =>
          typeof value === 'string' ? [[name, value] as [string, string]] : [],
        ),
      })
    }
    const configuration = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
      [oidc.customFetch]: fetch,
      // Where plain HTTP is allowed was looked at before.
      execute: issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [],
    })
    if (clientSecret === undefined) return new Provider(login, configuration)
    const { token_endpoint_auth_methods_supported: ways } = configuration.serverMetadata()
    const way =
      ways !== undefined && !ways.includes('client_secret_basic') && ways.includes('client_secret_post')
        ? oidc.ClientSecretPost(clientSecret)
        : oidc.ClientSecretBasic(clientSecret)
    const known = new oidc.Configuration(configuration.serverMetadata(), clientId, undefined, way)
    known[oidc.customFetch] = fetch
    if (issuer.startsWith('http:')) oidc.allowInsecureRequests(known)
    return new Provider(login, known)
  }

  /** @param callback to which people are sent back */
  async begin(callback: string, to: string): Promise<{ readonly begun: BegunLogin; readonly url: URL }> {
    const begun: BegunLogin = {
      id: this.login.id,
      state: `${this.login.id}.${oidc.randomState()}`,
      nonce: oidc.randomNonce(),
      codeVerifier: oidc.randomPKCECodeVerifier(),
      to,
    }
    const url = oidc.buildAuthorizationUrl(this.configuration, {
      redirect_uri: callback,
      scope: ['openid', ...this.login.scopes.filter(scope => scope !== 'openid')].join(' '),
      state: begun.state,
      nonce: begun.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(begun.codeVerifier),
      code_challenge_method: 'S256',
    })
    return { begun, url }
  }

  /** @param came the address to which somebody was sent back @returns what is said of who logged in */
  async end(came: URL, begun: BegunLogin): Promise<JWTPayload> {
    const tokens = await oidc.authorizationCodeGrant(this.configuration, came, {
      expectedState: begun.state,
      expectedNonce: begun.nonce,
      pkceCodeVerifier: begun.codeVerifier,
      idTokenExpected: true,
    })
    const said = tokens.claims()!
    const asked = [this.login.consumerClaim, ...this.login.claims.map(({ name }) => name)]
    if (asked.every(name => said[name] !== undefined)) return said as JWTPayload
    if (this.configuration.serverMetadata().userinfo_endpoint === undefined) return said as JWTPayload
    return { ...(await oidc.fetchUserInfo(this.configuration, tokens.access_token, said.sub)), ...said } as JWTPayload
  }

  /** Where one is logged out there, too. */
  logout(): string | undefined {
    if (this.configuration.serverMetadata().end_session_endpoint === undefined) return undefined
    return oidc.buildEndSessionUrl(this.configuration).href
  }
}
