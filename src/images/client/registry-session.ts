// Requests about one repository of a registry: logs in when it is asked to, with what is good for that repository, and
// reads lists page by page.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { challengeIn } from './challenge.ts'
import type { Credentials } from './credentials.ts'
import { Exchange } from './exchange.ts'
import { registryUrl, repositoryAt } from './place.ts'
import { expectStatus } from './refusal.ts'

export interface RegistryClientOptions {
  /** Asked once, when the registry wants to know who one is. */
  readonly credentials?: () => Promise<Credentials | undefined>
  /** After which a connection is taken for dead; by default a minute. */
  readonly silenceMs?: number
}

type Access = 'pull' | 'pull,push' | 'pull,push,delete'

export class RegistrySession {
  readonly repository: string
  private readonly base: URL
  private readonly registry: string
  private readonly credentials: () => Promise<Credentials | undefined>
  private readonly exchange: Exchange
  /** What was sent last as `Authorization`, by what it is good for. */
  private readonly authorizations = new Map<Access, string>()
  private login: Promise<Credentials | undefined> | undefined

  /** @param registry host with port, or a URL @param repository '': the registry as a whole */
  constructor(registry: string, repository: string, { credentials, silenceMs }: RegistryClientOptions) {
    this.registry = registry
    this.base = registryUrl(registry)
    this.repository = repositoryAt(registry, repository)
    this.exchange = new Exchange(silenceMs)
    this.credentials = credentials ?? (async () => undefined)
  }

  get isSecure(): boolean {
    return this.base.protocol === 'https:'
  }

  close(): void {
    this.exchange.close()
  }

  /** All pages of a list; none where there is no such thing. */
  async pages<T>(path: string): Promise<T[]> {
    const pages: T[] = []
    for (let next: string | URL | undefined = path; next !== undefined;) {
      const answer: IncomingMessage = await this.ask('pull', 'GET', next)
      if (answer.statusCode === 404) {
        answer.resume()
        return pages
      }
      await expectStatus(answer, [200], `the registry at ${this.registry} does not list what it has`)
      pages.push(JSON.parse(await text(answer)) as T)
      const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(header(answer, 'link') ?? '')?.[1]
      next = link === undefined ? undefined : new URL(link, this.base)
    }
    return pages
  }

  /** Where an upload goes on. */
  locationOf(answer: IncomingMessage): URL {
    return new URL(answer.headers.location ?? '', this.base)
  }

  /** The beginning of the answer; its body has to be read or thrown away. */
  async ask(
    access: Access,
    method: string,
    path: string | URL,
    { headers = {}, body }: { readonly headers?: OutgoingHttpHeaders; readonly body?: () => Readable } = {},
  ): Promise<IncomingMessage> {
    const url =
      path instanceof URL
        ? path
        : new URL(['/v2', this.repository, path].filter(part => part !== '').join('/'), this.base)
    const ask = (authorization: string | undefined): Promise<IncomingMessage> =>
      this.exchange.ask({
        method,
        url,
        headers: { ...headers, ...(authorization !== undefined && { authorization }) },
        ...(body !== undefined && { body }),
      })
    const answer = await ask(this.authorizations.get(access))
    if (answer.statusCode !== 401) return answer
    const authorization = await this.authorize(access, header(answer, 'www-authenticate'))
    if (authorization === undefined) return answer
    answer.resume()
    this.authorizations.set(access, authorization)
    return ask(authorization)
  }

  /** @returns undefined: there is nothing that it could be told */
  private async authorize(access: Access, wanted: string | undefined): Promise<string | undefined> {
    const challenge = challengeIn(wanted)
    if (challenge === undefined) return undefined
    this.login ??= this.credentials()
    const login = await this.login
    if (challenge.scheme === 'bearer') return this.token(access, challenge.parameters, login)
    return login !== undefined && 'password' in login ? basic(login) : undefined
  }

  private async token(
    access: Access,
    { realm, service, scope }: Readonly<Record<string, string>>,
    login: Credentials | undefined,
  ): Promise<string | undefined> {
    if (realm === undefined || !URL.canParse(realm)) return undefined
    const url = new URL(realm)
    const query = new URLSearchParams({
      ...(service !== undefined && { service }),
      scope: access === 'pull' && scope !== undefined ? scope : `repository:${this.repository}:${access}`,
    })
    const isRefresh = login !== undefined && 'refreshToken' in login
    if (isRefresh) {
      query.set('grant_type', 'refresh_token')
      query.set('refresh_token', login.refreshToken)
      query.set('client_id', 'sampan')
    } else for (const [name, value] of query) url.searchParams.append(name, value)
    const bytes = Buffer.from(String(query))
    const answer = await this.exchange.ask(
      isRefresh
        ? {
            method: 'POST',
            url,
            headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': bytes.length },
            body: () => Readable.from([bytes]),
          }
        : { method: 'GET', url, headers: login === undefined ? {} : { authorization: basic(login) } },
    )
    await expectStatus(
      answer,
      [200],
      `${url.host}, which gives tokens for the registry at ${this.registry}, refuses${login === undefined ? ' who has no login; log in with: docker login, podman login or skopeo login' : ' the login that is kept for it'}`,
    )
    const { token, access_token: other } = JSON.parse(await text(answer)) as Record<string, string>
    return `Bearer ${token ?? other}`
  }
}

const basic = (login: Credentials): string =>
  'password' in login
    ? `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
    : `Bearer ${login.refreshToken}`

function header({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
