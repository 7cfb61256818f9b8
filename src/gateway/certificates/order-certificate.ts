// Gets one certificate: goes on with the order that is there, or makes one. Whatever it needs to go on with is kept before
// the authority is asked for more, so that it can be killed anywhere.
import { X509Certificate, createPrivateKey } from 'node:crypto'
import type { AcmeClient, Authorization, Challenge, Order } from '../acme/acme-client.ts'
import { certificateRequest, newKey } from '../acme/certificate-request.ts'
import { AcmeProblem, problemText } from '../acme/problem.ts'
import { AttemptFailed } from './attempt-failed.ts'

/** An order that is under way. */
export interface PendingOrder {
  readonly url: string
  /** Of the certificate, in PEM. */
  readonly key: string
}

export interface OrderPlaces {
  readonly pending: () => Promise<PendingOrder | undefined>
  readonly keep: (pending: PendingOrder) => Promise<void>
  readonly forget: () => Promise<void>
}

export interface Prover {
  readonly type: 'http-01' | 'dns-01'
  /** Resolves when whoever asks finds it. */
  readonly open: (host: string, proof: Proof) => Promise<void>
  readonly close: (host: string, proof: Proof) => Promise<void>
}

export interface Proof {
  readonly token: string
  readonly keyAuthorization: string
}

export interface OrderOptions {
  readonly acme: AcmeClient
  readonly domain: string
  readonly places: OrderPlaces
  readonly prover: Prover
  readonly sleep: (delayMs: number) => Promise<void>
  readonly now: () => number
}

export interface OrderedCertificate {
  /** With those that vouch for it, in PEM. */
  readonly chain: string
  readonly key: string
}

/** How long an authority may take for one step; the order is gone on with later. */
const patienceMs = 180_000
const firstPauseMs = 500
const longestPauseMs = 5_000

/** @throws AttemptFailed, AcmeProblem, AuthorityAway */
export async function orderCertificate(options: OrderOptions): Promise<OrderedCertificate> {
  const { acme, places, domain } = options
  const { pending, order: found } = (await orderUnderWay(options)) ?? (await orderAnew(options))
  let order = found
  if (order.status === 'pending') {
    // One after the other: they may be of one name.
    for (const url of order.authorizations) await prove(await acme.authorization(url), options)
    order = await until(
      options,
      () => acme.order(order.url),
      ({ status }) => status !== 'pending',
    )
  }
  if (order.status === 'ready') order = await acme.finalize(order, await certificateRequest(pending.key, domain))
  if (order.status === 'processing')
    order = await until(
      options,
      () => acme.order(order.url),
      ({ status }) => status !== 'processing',
    )
  if (order.status !== 'valid' || order.certificate === undefined) {
    await places.forget()
    throw new AttemptFailed('Refused', await refusal(order, acme))
  }
  const chain = await acme.certificate(order.certificate)
  const fault = faultOf(chain, pending.key, domain, options.now())
  if (fault !== undefined) {
    await places.forget()
    throw new AttemptFailed('Refused', fault)
  }
  return { chain, key: pending.key }
}

/** Kinds of problems that have nothing to do with what was asked for. */
const saysNothingOfIt: ReadonlySet<string> = new Set(['badNonce', 'rateLimited', 'serverInternal'])

interface UnderWay {
  readonly pending: PendingOrder
  readonly order: Order
}

/** undefined: there is none that leads anywhere. */
async function orderUnderWay({ acme, places }: OrderOptions): Promise<UnderWay | undefined> {
  const pending = await places.pending()
  if (pending === undefined) return undefined
  try {
    const order = await acme.order(pending.url)
    if (order.status !== 'invalid') return { pending, order }
  } catch (error) {
    // It has expired, or was another account's, or another authority's.
    if (!(error instanceof AcmeProblem) || error.status >= 500 || saysNothingOfIt.has(error.kind)) throw error
  }
  await places.forget()
  return undefined
}

async function orderAnew({ acme, places, domain }: OrderOptions): Promise<UnderWay> {
  const key = newKey()
  const order = await acme.newOrder(domain)
  const pending = { url: order.url, key }
  await places.keep(pending)
  return { pending, order }
}

async function prove(authorization: Authorization, options: OrderOptions): Promise<void> {
  if (authorization.status !== 'pending') return
  const { acme, prover } = options
  const host = authorization.identifier.value
  const challenge = authorization.challenges.find(({ type }) => type === prover.type)
  if (challenge === undefined) {
    const offered = authorization.challenges.map(({ type }) => type).join(', ')
    throw new AttemptFailed(
      'Refused',
      `the authority does not prove ${host} by ${prover.type}, but by ${offered || 'nothing'}`,
    )
  }
  const proof = proofOf(challenge, acme)
  try {
    await prover.open(host, proof)
    if (challenge.status === 'pending') await acme.accept(challenge)
    await until(
      options,
      () => acme.authorization(authorization.url),
      ({ status }) => status !== 'pending',
    )
  } finally {
    await prover.close(host, proof)
  }
}

/** What a token may be made of: it becomes part of a map, and of a path. Source: RFC 8555, 8.1. */
const tokenPattern = /^[A-Za-z0-9_-]{1,200}$/

function proofOf({ token }: Challenge, { key }: AcmeClient): Proof {
  if (!tokenPattern.test(token))
    throw new AttemptFailed('Refused', `expected a token of letters, digits, - and _, found ${JSON.stringify(token)}`)
  return { token, keyAuthorization: `${token}.${key.thumbprint}` }
}

/** @throws AttemptFailed when it takes too long */
async function until<T extends { readonly retryAfterMs?: number | undefined }>(
  { sleep }: Pick<OrderOptions, 'sleep'>,
  look: () => Promise<T>,
  isDone: (found: T) => boolean,
): Promise<T> {
  let pauseMs = firstPauseMs
  for (let waitedMs = 0; waitedMs < patienceMs;) {
    const found = await look()
    if (isDone(found)) return found
    const wantedMs = Math.min(found.retryAfterMs ?? pauseMs, patienceMs)
    await sleep(wantedMs)
    waitedMs += wantedMs
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  }
  throw new AttemptFailed('Undecided', `the authority has not decided within ${patienceMs / 1_000} seconds`)
}

async function refusal({ authorizations, error, status }: Order, acme: AcmeClient): Promise<string> {
  if (error !== undefined) return problemText(error)
  for (const url of authorizations) {
    const { challenges } = await acme.authorization(url)
    for (const { error: problem } of challenges) if (problem !== undefined) return problemText(problem)
  }
  return `the order ended as ${status}`
}

/** What must not be shown, whoever signed it. */
function faultOf(chain: string, key: string, domain: string, nowMs: number): string | undefined {
  try {
    const leaf = new X509Certificate(chain)
    if (!leaf.checkPrivateKey(createPrivateKey(key))) return 'the authority gave a certificate of another key'
    if (!(leaf.subjectAltName ?? '').split(', ').includes(`DNS:${domain}`))
      return `the authority gave a certificate that is not for ${domain}`
    if (Date.parse(leaf.validTo) <= nowMs)
      return `the authority gave a certificate until ${leaf.validTo}, which is over by the clock of this machine: is it right?`
    return undefined
  } catch {
    return 'the authority gave something that is no certificate in PEM'
  }
}
