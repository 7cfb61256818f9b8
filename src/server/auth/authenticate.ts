// Who is asking: whom a client certificate of the cluster's CA or a bearer token names. Who shows nothing is
// system:anonymous; who shows something that is no good gets no further.
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { unauthorized } from '../../api/api-error.ts'
import type { Clock } from '../../lib/clock.ts'
import { frontProxyName, isIssuedBy, remoteUser, type FrontProxy } from '../aggregation/front-proxy.ts'
import type { UserInfo } from '../request.ts'
import type { BearerTokens } from './bearer-tokens.ts'
import { tokenHash } from './static-tokens.ts'
import type { TokenNotes } from './verified-token.ts'

/** Who a request comes from, and what is to be said of how he proved it. */
export interface Recognized {
  readonly user: UserInfo
  readonly notes?: TokenNotes | undefined
}

/** A token found good is believed this long before it is checked again. */
const trustMs = 10_000
const rememberedTokens = 1000

export class Authenticator {
  private readonly bySocket = new WeakMap<object, Recognized | 'others' | null>()
  /** By hash, so that neither memory nor time tells of a token. */
  private readonly byToken = new Map<string, Recognized & { untilMs: number }>()
  private readonly tokens: BearerTokens
  private readonly clock: Clock
  private readonly frontProxy: FrontProxy | undefined

  /** @param frontProxy says who may speak for others */
  constructor(tokens: BearerTokens, clock: Clock, frontProxy?: FrontProxy) {
    this.frontProxy = frontProxy
    this.tokens = tokens
    this.clock = clock
  }

  /** @throws ApiError Unauthorized */
  async authenticate(request: IncomingMessage): Promise<Recognized> {
    const certified = this.byCertificate(request.socket as TLSSocket)
    const named = certified === 'others' ? recognized(remoteUser(request)) : certified
    if (named !== null) return named
    const { authorization } = request.headers
    const token =
      authorization !== undefined && /^bearer /i.test(authorization)
        ? authorization.slice('bearer '.length).trim()
        : webSocketToken(request)
    if (token !== undefined && token !== '') return this.byBearer(token)
    // A certificate that says nothing to us.
    if (hasCertificate(request.socket as TLSSocket)) throw unauthorized()
    return nobody
  }

  /** `others`: of the front proxy, which speaks for others and for nobody of its own. */
  private byCertificate(socket: TLSSocket): Recognized | 'others' | null {
    const known = this.bySocket.get(socket)
    if (known !== undefined) return known
    const user = socket.authorized ? this.holderOf(socket) : null
    this.bySocket.set(socket, user)
    return user
  }

  private holderOf(socket: TLSSocket): Recognized | 'others' | null {
    if (this.frontProxy === undefined || !isIssuedBy(socket, this.frontProxy.authority))
      return recognized(subjectOf(socket))
    return subjectOf(socket)?.username === frontProxyName ? 'others' : null
  }

  private async byBearer(token: string): Promise<Recognized> {
    const nowMs = this.clock.now()
    const key = tokenHash(token)
    const known = this.byToken.get(key)
    if (known !== undefined && known.untilMs > nowMs) return known
    const verified = await this.tokens.verify(token)
    if (verified === undefined) throw unauthorized()
    if (this.byToken.size >= rememberedTokens) this.byToken.clear()
    const found = {
      user: verified.user,
      notes: verified.notes,
      untilMs: Math.min(nowMs + trustMs, verified.expiresMs ?? Infinity),
    }
    this.byToken.set(key, found)
    return found
  }
}

export const anonymous: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] }
const nobody: Recognized = { user: anonymous }

const recognized = (user: UserInfo | null | undefined): Recognized | null =>
  user === null || user === undefined ? null : { user }

const hasCertificate = (socket: TLSSocket): boolean => socket.getPeerCertificate().raw !== undefined

function subjectOf(socket: TLSSocket): UserInfo | null {
  const subject = socket.getPeerCertificate().subject as { CN?: string; O?: string | string[] } | undefined
  if (subject?.CN === undefined) return null
  const organizations = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O]
  return { username: subject.CN, groups: [...organizations, 'system:authenticated'] }
}

/** Browsers cannot set headers on WebSockets; Kubernetes lets them put the token among the protocols. */
export const tokenProtocolPrefix = 'base64url.bearer.authorization.k8s.io.'

function webSocketToken({ headers }: IncomingMessage): string | undefined {
  const protocols = String(headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map(text => text.trim())
  const carrier = protocols.find(text => text.startsWith(tokenProtocolPrefix))
  return carrier === undefined
    ? undefined
    : Buffer.from(carrier.slice(tokenProtocolPrefix.length), 'base64url').toString()
}
