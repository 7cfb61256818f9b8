// Registries elsewhere over HTTPS, with the tokens that they want: got with the caller's own password, or as anybody.
import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import type { Clock } from '../../../lib/clock.ts'
import { challengeIn, type Challenge } from '../../client/challenge.ts'
import { Exchange } from '../../client/exchange.ts'
import { registryUrl } from '../../client/place.ts'
import { UpstreamAway, type Upstream, type UpstreamAnswer, type UpstreamRequest } from './upstream.ts'

const rememberedTokens = 1000
/** What a token is good for when nothing is said of it. */
const tokenSeconds = 60
const marginMs = 10_000

export class HttpUpstream implements Upstream {
  private readonly exchange = new Exchange(30_000)
  private readonly clock: Clock
  private readonly tokens = new Map<string, { readonly authorization: string; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  close(): void {
    this.exchange.close()
  }

  async ask(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const { credentials } = request
    const key = keyOf(request)
    const token = this.tokens.get(key)
    const known = token !== undefined && token.untilMs > this.clock.now() ? token.authorization : undefined
    const answer = await this.send(request, known ?? bearerOf(credentials))
    if (answer.status !== 401) return answer
    const challenge = challengeIn(String(answer.headers['www-authenticate'] ?? ''))
    const authorization = await this.authorization(request, challenge, key)
    if (authorization === undefined || authorization === known) return answer
    answer.body.destroy()
    return this.send(request, authorization)
  }

  private async authorization(
    request: UpstreamRequest,
    challenge: Challenge | undefined,
    key: string,
  ): Promise<string | undefined> {
    const { credentials } = request
    if (challenge === undefined || bearerOf(credentials) !== undefined) return undefined
    if (challenge.scheme === 'basic') return credentials
    const { realm = '', service, scope } = challenge.parameters
    if (!URL.canParse(realm)) return undefined
    const url = new URL(realm)
    if (service !== undefined) url.searchParams.set('service', service)
    url.searchParams.set('scope', scope ?? `repository:${request.repository}:pull`)
    const answer = await this.fetch('GET', url, credentials === undefined ? {} : { authorization: credentials })
    const body = await text(answer.body)
    if (answer.status !== 200) return undefined
    const found = JSON.parse(body) as { token?: string; access_token?: string; expires_in?: number }
    const authorization = `Bearer ${found.token ?? found.access_token}`
    if (this.tokens.size >= rememberedTokens) this.tokens.clear()
    const lifeMs = (found.expires_in ?? tokenSeconds) * 1000 - marginMs
    this.tokens.set(key, { authorization, untilMs: this.clock.now() + lifeMs })
    return authorization
  }

  private send(
    { registry, repository, path, method, headers }: UpstreamRequest,
    authorization: string | undefined,
  ): Promise<UpstreamAnswer> {
    const url = new URL(`/v2/${repository}/${path}`, registryUrl(registry))
    return this.fetch(method, url, { ...headers, ...(authorization !== undefined && { authorization }) })
  }

  private async fetch(method: string, url: URL, headers: Readonly<Record<string, string>>): Promise<UpstreamAnswer> {
    const answer = await this.exchange.ask({ method, url, headers }).catch((error: Error) => {
      throw new UpstreamAway(error.message)
    })
    const status = answer.statusCode ?? 0
    if (status >= 500 || status === 429) {
      answer.destroy()
      throw new UpstreamAway(`${url.host} answers ${status}`)
    }
    return { status, headers: answer.headers, body: answer }
  }
}

/** A token that the caller got himself. */
const bearerOf = (credentials: string | undefined): string | undefined =>
  credentials !== undefined && /^bearer /i.test(credentials) ? credentials : undefined

const keyOf = ({ registry, repository, credentials = '' }: UpstreamRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([registry, repository, credentials]))
    .digest('base64')
