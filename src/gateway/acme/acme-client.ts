// An authority that speaks ACME, as one account asks it. It holds nothing that a restart would lose: the same key finds the
// same account, and an order is known by its address. Source: RFC 8555.
import { AcmeProblem, AuthorityAway, type Problem } from './problem.ts'
import type { AskAuthority, AuthorityAnswer } from './request.ts'
import { binding, signed, type AccountKey } from './signing.ts'

export interface Order {
  readonly url: string
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid'
  readonly authorizations: readonly string[]
  readonly finalize: string
  readonly certificate?: string
  readonly error?: Problem
  /** After which it is worth asking again. */
  readonly retryAfterMs?: number | undefined
}

export interface Authorization {
  readonly url: string
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked'
  readonly identifier: { readonly value: string }
  readonly challenges: readonly Challenge[]
  readonly retryAfterMs?: number | undefined
}

export interface Challenge {
  readonly type: string
  readonly url: string
  readonly token: string
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid'
  readonly error?: Problem
}

export interface AccountDetails {
  readonly email?: string | undefined
  readonly binding?: { readonly keyId: string; readonly secret: string } | undefined
}

export interface AcmeClient {
  readonly key: AccountKey
  /** URL of the account, which is made where there is none for the key. */
  account(): Promise<string>
  newOrder(domain: string): Promise<Order>
  order(url: string): Promise<Order>
  authorization(url: string): Promise<Authorization>
  /** It may be looked at from now on. */
  accept(challenge: Challenge): Promise<void>
  /** @param request in DER */
  finalize(order: Order, request: Buffer): Promise<Order>
  /** The certificate and those that vouch for it, in PEM. */
  certificate(url: string): Promise<string>
}

interface Directory {
  readonly newNonce: string
  readonly newAccount: string
  readonly newOrder: string
}

/** Pebble refuses good ones on purpose, and each is as good as the one before. */
const nonceAttempts = 10

export function acmeClient(server: string, key: AccountKey, details: AccountDetails, ask: AskAuthority): AcmeClient {
  let directory: Promise<Directory> | undefined
  let account: Promise<string> | undefined
  const nonces: string[] = []

  /** What failed is asked again the next time. */
  const found = (): Promise<Directory> =>
    (directory ??= ask(server, { method: 'GET' })
      .then(answer => body<Directory>(checked(answer)))
      .catch((error: unknown) => {
        directory = undefined
        throw error
      }))

  async function nonce(): Promise<string> {
    const kept = nonces.pop()
    if (kept !== undefined) return kept
    const answer = await ask((await found()).newNonce, { method: 'HEAD' })
    const fresh = answer.header('replay-nonce')
    if (fresh === undefined) throw new AuthorityAway(`${server}: expected a Replay-Nonce, found none`)
    return fresh
  }

  async function post(url: string, payload: object | undefined, kid: string | undefined): Promise<AuthorityAnswer> {
    for (let attempt = 1; ; attempt++) {
      const header = { nonce: await nonce(), url, ...(kid === undefined ? { jwk: key.jwk } : { kid }) }
      const answer = await ask(url, { method: 'POST', body: signed(key, header, payload) })
      const next = answer.header('replay-nonce')
      // Old ones are refused after minutes.
      nonces.length = 0
      if (next !== undefined) nonces.push(next)
      try {
        return checked(answer)
      } catch (error) {
        if (!(error instanceof AcmeProblem) || error.kind !== 'badNonce' || attempt === nonceAttempts) throw error
      }
    }
  }

  async function register(): Promise<string> {
    const { newAccount } = await found()
    const { email, binding: bound } = details
    const answer = await post(
      newAccount,
      {
        termsOfServiceAgreed: true,
        ...(email !== undefined && { contact: [`mailto:${email}`] }),
        ...(bound && { externalAccountBinding: binding(key, newAccount, bound.keyId, bound.secret) }),
      },
      undefined,
    )
    const url = located(answer)
    // One that was there keeps what it had.
    if (answer.status === 200 && email !== undefined) await post(url, { contact: [`mailto:${email}`] }, url)
    return url
  }

  const own = (): Promise<string> =>
    (account ??= register().catch((error: unknown) => {
      account = undefined
      throw error
    }))

  /** An authority that lost its accounts gets this one again. */
  async function asAccount(url: string, payload?: object): Promise<AuthorityAnswer> {
    try {
      return await post(url, payload, await own())
    } catch (error) {
      if (!(error instanceof AcmeProblem) || error.kind !== 'accountDoesNotExist') throw error
      account = undefined
      return post(url, payload, await own())
    }
  }

  const orderIn = (answer: AuthorityAnswer, url: string): Order => ({
    ...body<Omit<Order, 'url'>>(answer),
    url,
    retryAfterMs: retryAfterMs(answer),
  })

  return {
    key,
    account: own,
    async newOrder(domain) {
      const { newOrder } = await found()
      const answer = await asAccount(newOrder, { identifiers: [{ type: 'dns', value: domain }] })
      return orderIn(answer, located(answer))
    },
    order: async url => orderIn(await asAccount(url), url),
    async authorization(url) {
      const answer = await asAccount(url)
      return { ...body<Omit<Authorization, 'url'>>(answer), url, retryAfterMs: retryAfterMs(answer) }
    },
    async accept({ url }) {
      await asAccount(url, {})
    },
    finalize: async ({ url, finalize }, request) =>
      orderIn(await asAccount(finalize, { csr: request.toString('base64url') }), url),
    certificate: async url => (await asAccount(url)).text,
  }
}

function checked(answer: AuthorityAnswer): AuthorityAnswer {
  const { status, text } = answer
  if (status >= 200 && status < 300) return answer
  const problem = problemIn(text)
  // A proxy in front of it, or a machine that is being started anew, has nothing against an order.
  if (status >= 500 && problem.type === undefined)
    throw new AuthorityAway(`an answer with status ${status}: ${text.slice(0, 200)}`)
  throw new AcmeProblem(status, problem, retryAfterMs(answer))
}

function problemIn(text: string): Problem {
  try {
    return JSON.parse(text) as Problem
  } catch {
    return { detail: text.slice(0, 200) }
  }
}

function body<T>({ text }: AuthorityAnswer): T {
  try {
    return JSON.parse(text) as T
  } catch {
    throw new AuthorityAway(`expected JSON, found ${JSON.stringify(text.slice(0, 100))}`)
  }
}

function located(answer: AuthorityAnswer): string {
  const location = answer.header('location')
  if (location === undefined) throw new AuthorityAway('expected an answer with a Location, found one without')
  return location
}

/** In seconds, or as a date. */
function retryAfterMs(answer: AuthorityAnswer): number | undefined {
  const text = answer.header('retry-after')
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  const date = Date.parse(answer.header('date') ?? '')
  const wait = Date.parse(text) - date
  return Number.isNaN(wait) ? undefined : Math.max(0, wait)
}
