// A provider of OpenID Connect of this process, which asks nobody for a password: whoever is set as logged in is let in. It
// looks at what a client has to keep: its secret, where people are sent back to, and PKCE.
import { createHash, generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { SignJWT } from 'jose'
import { listening } from './handled-requests.ts'

export interface Client {
  readonly id: string
  readonly secret: string
}

interface Grant {
  readonly redirectUri: string
  readonly nonce: string
  readonly challenge: string
  readonly said: object
}

export class IdentityProvider {
  /** What is said of who is logged in there; undefined: they do not let anybody go on. */
  user: object | undefined = { sub: 'ann', groups: ['staff', 'all'] }
  /** What has been asked for, by its path. */
  readonly asked: string[] = []
  private readonly server: Server & { readonly port: number }
  private readonly client: Client
  private readonly grants = new Map<string, Grant>()
  private keys = [keyPair()]

  private constructor(server: Server & { readonly port: number }, client: Client) {
    this.server = server
    this.client = client
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.respond(request, response))
  }

  static async start(client: Client): Promise<IdentityProvider> {
    return new IdentityProvider(await listening(createServer()), client)
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.server.port}`
  }

  /** Later tokens are signed by another key, which is shown beside the one before. */
  rotate(): void {
    this.keys = [keyPair(), this.keys[0]!]
  }

  token(claims: object): Promise<string> {
    const [{ id, privateKey }] = this.keys as [KeyPair]
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: id })
      .setIssuer(this.issuer)
      .setAudience(this.client.id)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.issuer)
    this.asked.push(url.pathname)
    const json = (value: object, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(value))
    }
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          jwks_uri: `${this.issuer}/keys`,
          end_session_endpoint: `${this.issuer}/logout`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256'],
        })
      case '/keys':
        return json({
          keys: this.keys.map(({ id, publicKey }) => ({
            ...publicKey.export({ format: 'jwk' }),
            kid: id,
            alg: 'ES256',
            use: 'sig',
          })),
        })
      case '/authorize':
        response.writeHead(302, { location: this.authorized(url.searchParams).href })
        return void response.end()
      case '/token': {
        const answer = await this.granted(request.headers.authorization, new URLSearchParams(await text(request)))
        return answer === undefined ? json({ error: 'invalid_grant' }, 400) : json(answer)
      }
      default:
        return json({}, 404)
    }
  }

  private authorized(asked: URLSearchParams): URL {
    const back = new URL(asked.get('redirect_uri')!)
    back.searchParams.set('state', asked.get('state')!)
    if (this.user === undefined) {
      back.searchParams.set('error', 'access_denied')
      back.searchParams.set('error_description', '<b>not today</b>')
      return back
    }
    const code = randomUUID()
    this.grants.set(code, {
      redirectUri: asked.get('redirect_uri')!,
      nonce: asked.get('nonce')!,
      challenge: asked.get('code_challenge')!,
      said: this.user,
    })
    back.searchParams.set('code', code)
    return back
  }

  private async granted(authorization: string | undefined, asked: URLSearchParams): Promise<object | undefined> {
    const grant = this.grants.get(asked.get('code') ?? '')
    // Source: RFC 6749, 2.3.1.
    const shown = new URLSearchParams({ id: this.client.id, secret: this.client.secret })
    const written = shown.toString().replace(/^id=/, '').replace('&secret=', ':')
    const expected = `Basic ${Buffer.from(written).toString('base64')}`
    const challenge = createHash('sha256')
      .update(asked.get('code_verifier') ?? '')
      .digest('base64url')
    if (grant === undefined || authorization !== expected) return undefined
    if (grant.redirectUri !== asked.get('redirect_uri') || grant.challenge !== challenge) return undefined
    this.grants.delete(asked.get('code')!)
    return {
      access_token: randomUUID(),
      token_type: 'Bearer',
      id_token: await this.token({ ...grant.said, nonce: grant.nonce }),
    }
  }
}

interface KeyPair {
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const keyPair = (): KeyPair => ({ id: randomUUID(), ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) })
