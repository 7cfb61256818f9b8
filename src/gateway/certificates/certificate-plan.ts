// Which certificates of an issuer are to be got now, and when to look again: by what Secrets hold, and by what its status
// tells of attempts before. Pure.
import type { IssuedCertificate } from '../../api/gateway-api/certificate-issuers.ts'
import { formatTime } from '../../lib/clock.ts'
import type { FoundCertificate } from '../model/certificate-of.ts'

export interface DomainState {
  readonly domain: string
  readonly secretName: string
  /** What its Secret holds. */
  readonly found: FoundCertificate
  /** The authority that it was got from; undefined: nobody knows. */
  readonly server: string | undefined
}

export interface CertificatePlan {
  /** As the issuer's status is to tell it. */
  readonly certificates: readonly IssuedCertificate[]
  readonly due: readonly string[]
  /** Until something is due that is not now; undefined: never. */
  readonly lookAgainMs: number | undefined
}

/** Of one domain, within `weekMs`. Let's Encrypt takes as many. */
export const issuancesInTurn = 5
const weekMs = 7 * 86_400_000

/** @param generation of the issuer: what failed before it was changed is tried again */
export function certificatePlan(
  domains: readonly DomainState[],
  before: readonly IssuedCertificate[],
  { server, generation, nowMs }: { readonly server: string; readonly generation: number; readonly nowMs: number },
): CertificatePlan {
  const planned = domains.map(({ domain, secretName, found, server: from }) => {
    const old = before.find(each => each.domain === domain)
    const kept = withoutOldFailures({ ...old, domain, secretName }, generation)
    const held = heldTimes(found, domain)
    const certificate: IssuedCertificate = held === undefined ? kept : { ...kept, ...told(held) }
    const renewalMs = held !== undefined && from === server ? held.renewalMs : nowMs
    return { certificate, atMs: Math.max(renewalMs, earliestMs(certificate, nowMs)) }
  })
  const waits = planned.filter(({ atMs }) => atMs > nowMs).map(({ atMs }) => atMs - nowMs)
  return {
    certificates: [...planned.map(({ certificate }) => certificate), ...remembered(domains, before)],
    due: planned.filter(({ atMs }) => atMs <= nowMs).map(({ certificate }) => certificate.domain),
    lookAgainMs: waits.length === 0 ? undefined : Math.min(...waits),
  }
}

/** Of domains without a host: who comes back must not find the limits forgotten. */
const remembered = (
  domains: readonly DomainState[],
  before: readonly IssuedCertificate[],
): readonly IssuedCertificate[] =>
  before.filter(
    ({ domain, failures, issuances }) =>
      (failures !== undefined || issuances !== undefined) && domains.every(each => each.domain !== domain),
  )

interface HeldTimes {
  readonly fromMs: number
  readonly untilMs: number
  readonly renewalMs: number
}

/** undefined: nothing that could be shown for the domain. */
function heldTimes(found: FoundCertificate, domain: string): HeldTimes | undefined {
  if ('problem' in found || !found.names.includes(domain)) return undefined
  const { validFromMs: fromMs, expiresAtMs: untilMs } = found
  return { fromMs, untilMs, renewalMs: fromMs + ((untilMs - fromMs) * 2) / 3 }
}

const told = ({ fromMs, untilMs, renewalMs }: HeldTimes): Partial<IssuedCertificate> => ({
  notBefore: formatTime(fromMs),
  notAfter: formatTime(untilMs),
  renewalTime: formatTime(renewalMs),
})

function withoutOldFailures(certificate: IssuedCertificate, generation: number): IssuedCertificate {
  const { failures: _failures, nextAttemptTime: _next, reason: _reason, message: _message, ...rest } = certificate
  return certificate.observedGeneration === generation ? certificate : { ...rest, observedGeneration: generation }
}

/**
 * Not before the next attempt, nor while there were too many certificates lately. What a clock wrote that has been put right
 * since binds nobody.
 */
function earliestMs(
  { nextAttemptTime, issuances = [], notBefore, notAfter }: IssuedCertificate,
  nowMs: number,
): number {
  const attemptMs = nextAttemptTime === undefined ? 0 : Date.parse(nextAttemptTime)
  const nextMs = attemptMs - nowMs > longestAskedMs ? 0 : attemptMs
  const oldest = issuances.filter(time => Date.parse(time) <= nowMs).at(-issuancesInTurn)
  if (oldest === undefined) return nextMs
  const lifeMs =
    notBefore === undefined || notAfter === undefined ? weekMs : Date.parse(notAfter) - Date.parse(notBefore)
  return Math.max(nextMs, Date.parse(oldest) + Math.min(weekMs, lifeMs))
}

/** After an attempt that gave one. */
export function afterSuccess(certificate: IssuedCertificate, nowMs: number): IssuedCertificate {
  const { failures: _failures, nextAttemptTime: _next, reason: _reason, message: _message, ...rest } = certificate
  return { ...rest, issuances: [...(rest.issuances ?? []), formatTime(nowMs)].slice(-issuancesInTurn) }
}

export interface Failure {
  readonly reason: 'Refused' | 'RateLimited' | 'Unreachable' | 'CommandFailed' | 'Undecided' | 'Failed'
  readonly message: string
  /** That the authority asks to be left alone for. */
  readonly retryAfterMs?: number | undefined
}

/** After an attempt that did not. */
export function afterFailure(certificate: IssuedCertificate, failure: Failure, nowMs: number): IssuedCertificate {
  const failures = (certificate.failures ?? 0) + 1
  const { reason, message } = failure
  return { ...certificate, failures, reason, message, nextAttemptTime: formatTime(nowMs + waitMs(failure, failures)) }
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** First wait, and the longest. */
const waits: Readonly<Record<Failure['reason'], readonly [firstMs: number, longestMs: number]>> = {
  // Let's Encrypt takes five failed proofs of a name an hour.
  Refused: [15 * minuteMs, 24 * hourMs],
  RateLimited: [hourMs, 24 * hourMs],
  Unreachable: [10_000, hourMs],
  CommandFailed: [minuteMs, hourMs],
  Undecided: [minuteMs, hourMs],
  Failed: [10_000, hourMs],
}
/** Whatever an authority says: it may have meant milliseconds. */
const longestAskedMs = 8 * 24 * hourMs

/** Rounded up to what a status can tell. */
export function waitMs({ reason, retryAfterMs = 0 }: Failure, failures: number): number {
  const [firstMs, longestMs] = waits[reason]
  const usualMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30))
  return Math.ceil(Math.max(usualMs, Math.min(retryAfterMs, longestAskedMs)) / 1_000) * 1_000
}
