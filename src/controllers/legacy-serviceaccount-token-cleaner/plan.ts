// What happens to a service account token of the older sort that nobody uses. Pure.
// Source: pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go.
import type { Secret, ServiceAccount } from '../../api/generated/models.ts'
import {
  accountUidAnnotation,
  dateOf,
  dateText,
  dayMs,
  invalidSinceLabel,
  isGeneratedFor,
  lastUsedLabel,
} from '../../api/legacy-token.ts'

/** Unused for so long, a token is no longer good; and after as long again it goes. */
export const cleanUpPeriodMs = 365 * dayMs

export interface Observed {
  readonly secret: Secret
  readonly account: ServiceAccount | undefined
  /** The day from which on uses were written down. */
  readonly trackedSince: string | undefined
  /** Whether a pod of its namespace refers to the Secret. */
  readonly isMounted: () => boolean
}

export type Verdict = 'keep' | 'invalidate' | 'delete'

export function judge({ secret, account, trackedSince, isMounted }: Observed, nowMs: number): Verdict {
  const sinceMs = dateOf(trackedSince)
  // What was used before that day, or on it, may not have been written down.
  if (sinceMs === undefined || nowMs < sinceMs + dayMs + cleanUpPeriodMs) return 'keep'
  const {
    metadata: { labels = {}, annotations = {}, ...metadata },
  } = secret
  const keptFrom = dateText(nowMs - cleanUpPeriodMs)
  if (metadata.deletionTimestamp !== undefined || Date.parse(metadata.creationTimestamp) >= nowMs - cleanUpPeriodMs)
    return 'keep'
  const lastUsed = labels[lastUsedLabel]
  if (lastUsed !== undefined && (dateOf(lastUsed) === undefined || lastUsed >= keptFrom)) return 'keep'
  const uid = annotations[accountUidAnnotation] ?? ''
  // Nobody but Kubernetes notes its own tokens there; others were made on purpose.
  if (
    account === undefined ||
    (uid !== '' && uid !== account.metadata.uid) ||
    !isGeneratedFor(account, secret) ||
    isMounted()
  )
    return 'keep'
  const invalidSince = labels[invalidSinceLabel]
  if (dateOf(invalidSince) === undefined) return 'invalidate'
  return invalidSince! >= keptFrom ? 'keep' : 'delete'
}
