// Why an attempt to get a certificate failed, in words, and as what it counts.
import { AcmeProblem, AuthorityAway } from '../acme/problem.ts'
import { errorText } from '../../lib/error-text.ts'
import type { Failure } from './certificate-plan.ts'

export class AttemptFailed extends Error {
  readonly reason: Failure['reason']

  constructor(reason: Failure['reason'], message: string) {
    super(message)
    this.name = 'AttemptFailed'
    this.reason = reason
  }
}

export function failureOf(error: unknown): Failure {
  const message = errorText(error)
  if (error instanceof AttemptFailed) return { reason: error.reason, message }
  if (error instanceof AuthorityAway) return { reason: 'Unreachable', message }
  if (!(error instanceof AcmeProblem)) return { reason: 'Failed', message }
  const { status, kind, retryAfterMs } = error
  if (kind === 'rateLimited' || status === 429) return { reason: 'RateLimited', message, retryAfterMs }
  const isTrouble = status >= 500 || kind === 'badNonce'
  return { reason: isTrouble ? 'Unreachable' : 'Refused', message, retryAfterMs }
}
