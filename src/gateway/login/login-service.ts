// Answers at the paths at which people log in and out: sends them to their provider, and gives those who come back a session.
// HAProxy asks it by a socket, and verifies sessions by itself, so that who is logged in needs nothing of this.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { rm } from 'node:fs/promises'
import { chmodSync } from 'node:fs'
import { once } from 'node:events'
import type { Clock } from '../../lib/clock.ts'
import { errorText } from '../../lib/error-text.ts'
import type { Logger } from '../../lib/logger.ts'
import type { Login } from '../model/policing.ts'
import { loginStart, sessionCookie } from '../model/policies/logins.ts'
import type { AskProvider } from '../providers/provider-access.ts'
import { cookiesOf, setCookie } from './cookies.ts'
import { page } from './page.ts'
import type { Provider } from './provider.ts'
import type { SessionKeys } from './session-keys.ts'
import { loginSeconds } from './tokens.ts'

export interface LoginServiceOptions {
  readonly socket: string
  readonly keys: SessionKeys
  readonly ask: AskProvider
  readonly clock: Clock
  readonly logger: Logger
}

interface Asked {
  /** As the browser has it. */
  readonly url: URL
  readonly cookies: ReadonlyMap<string, string>
  readonly isSecure: boolean
}

interface Answer {
  readonly status: number
  readonly location?: string
  readonly cookies?: readonly string[]
  readonly words?: string
}

export class LoginService {
  private readonly options: LoginServiceOptions
  private logins: ReadonlyMap<string, Login> = new Map()
  private readonly providers = new Map<string, { readonly login: string; readonly provider: Promise<Provider> }>()
  private server: Promise<Server> | undefined

  constructor(options: LoginServiceOptions) {
    this.options = options
  }

  /** Listens from the first one on. */
  async update(logins: ReadonlyMap<string, Login>): Promise<void> {
    this.logins = logins
    for (const id of this.providers.keys()) if (!logins.has(id)) this.providers.delete(id)
    if (logins.size > 0) await (this.server ??= this.listen())
  }

  async close(): Promise<void> {
    const server = await this.server
    this.server = undefined
    server?.closeAllConnections()
    server?.close()
  }

  private async listen(): Promise<Server> {
    const { socket } = this.options
    await rm(socket, { force: true })
    const server = createServer((request, response) => void this.respond(request, response))
    server.listen(socket)
    await once(server, 'listening')
    chmodSync(socket, 0o600)
    return server
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer
    try {
      answer = await this.answer(askedBy(request))
    } catch (error) {
      this.options.logger.warn('somebody could not log in', { error: reasonOf(error) })
      answer = { status: 502, words: `The login is not possible now: ${reasonOf(error)}` }
    }
    const { status, location, cookies = [], words = '' } = answer
    response.writeHead(status, {
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'",
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      ...(location !== undefined && { location }),
      ...(cookies.length > 0 && { 'set-cookie': [...cookies] }),
    })
    response.end(location === undefined ? page(words) : '')
  }

  private answer(asked: Asked): Promise<Answer> | Answer {
    const { pathname, searchParams } = asked.url
    const [id = ''] = (searchParams.get('login') ?? searchParams.get('state') ?? '').split('.')
    const login = this.logins.get(id)
    const all = [...this.logins.values()]
    if (login !== undefined && pathname === `${login.redirectPath}${loginStart}`) return this.begin(login, asked)
    if (login !== undefined && pathname === login.redirectPath) return this.end(login, asked)
    if (all.some(({ logoutPath }) => logoutPath === pathname)) return this.logout(asked)
    return { status: 404, words: 'There is no login here.' }
  }

  private async begin(login: Login, { url, isSecure }: Asked): Promise<Answer> {
    const provider = await this.providerOf(login)
    const { begun, url: location } = await provider.begin(`${url.origin}${login.redirectPath}`, localPath(url))
    const { sealed } = await import('./tokens.ts')
    const value = await sealed(begun, this.options.keys, this.options.clock.now())
    const cookie = setCookie(loginCookie(begun.state), value, {
      isSecure,
      seconds: loginSeconds,
      path: login.redirectPath,
    })
    return { status: 302, location: location.href, cookies: [cookie] }
  }

  private async end(login: Login, { url, cookies, isSecure }: Asked): Promise<Answer> {
    const state = url.searchParams.get('state') ?? ''
    const name = loginCookie(state)
    const { NotLetIn, session, unsealed } = await import('./tokens.ts')
    const now = this.options.clock.now()
    const begun = await unsealed(cookies.get(name) ?? '', this.options.keys, now)
    if (begun === undefined || begun.state !== state || begun.id !== login.id)
      return {
        status: 400,
        words: 'This login was begun too long ago, or in another browser. Go to where you wanted to go once more.',
      }
    const over = setCookie(name, '', { isSecure, seconds: 0, path: login.redirectPath })
    const refused = url.searchParams.get('error')
    if (refused !== null) {
      const why = url.searchParams.get('error_description') ?? refused
      return { status: 403, cookies: [over], words: `The provider did not let you in: ${why}` }
    }
    try {
      const said = await (await this.providerOf(login)).end(url, begun)
      const value = await session(login, said, this.options.keys, now)
      const seconds = Math.floor(login.sessionMs / 1000)
      const kept = setCookie(sessionCookie(login.id), value, { isSecure, seconds, path: '/' })
      return { status: 302, location: begun.to, cookies: [over, kept] }
    } catch (error) {
      if (error instanceof NotLetIn)
        return { status: 403, cookies: [over], words: `You are not let in: ${error.message}.` }
      throw error
    }
  }

  private async logout({ url, cookies, isSecure }: Asked): Promise<Answer> {
    const ended = [...this.logins.values()].filter(
      ({ id, logoutPath }) => logoutPath === url.pathname && cookies.has(sessionCookie(id)),
    )
    const [first] = ended
    const there =
      first === undefined
        ? undefined
        : await this.providerOf(first).then(
            each => each.logout(),
            () => undefined,
          )
    const over = ended.map(({ id }) => setCookie(sessionCookie(id), '', { isSecure, seconds: 0, path: '/' }))
    return there === undefined
      ? { status: 200, cookies: over, words: 'You are logged out.' }
      : { status: 302, cookies: over, location: there }
  }

  /** What it says of itself is asked for once, and again after a failure. */
  private providerOf(login: Login): Promise<Provider> {
    const settings = JSON.stringify(login)
    const known = this.providers.get(login.id)
    if (known?.login === settings) return known.provider
    const provider = import('./provider.ts').then(module => module.Provider.find(login, this.options.ask))
    this.providers.set(login.id, { login: settings, provider })
    provider.catch(() => this.providers.delete(login.id))
    return provider
  }
}

/** What the library says is seldom the reason. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? `${errorText(error)}: ${errorText(cause)}` : errorText(error)
}

/** Several may be begun in one browser. */
const loginCookie = (state: string): string => `sampan-login-${state.split('.')[1]?.slice(0, 8) ?? ''}`

/** Of where somebody wanted to go: with more, a cookie would be dropped by browsers. */
const mostCharacters = 1500

/** Nowhere but on this host. */
function localPath(url: URL): string {
  const to = url.searchParams.get('to') ?? '/'
  const found = URL.canParse(to, url.href) ? new URL(to, url) : undefined
  if (found === undefined || found.origin !== url.origin) return '/'
  const path = `${found.pathname}${found.search}`
  // Two slashes at the beginning are another host, also those that come out when dots are gone.
  return /^\/[/\\]/.test(path) || path.length > mostCharacters ? '/' : path
}

/** @param request with what HAProxy says of how it came */
function askedBy({ url = '/', headers }: IncomingMessage): Asked {
  const isSecure = headers['x-forwarded-proto'] === 'https'
  return {
    url: new URL(`${isSecure ? 'https' : 'http'}://${headers.host ?? 'localhost'}${url}`),
    cookies: cookiesOf(headers.cookie),
    isSecure,
  }
}
