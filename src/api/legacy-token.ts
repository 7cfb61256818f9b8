// Service account tokens of the older sort, which stand in Secrets and have no end: when they were last used, and
// since when they are no longer good. Shared by the API server, which writes down their use, and the control loop
// that cleans them up. Pure. Source: pkg/serviceaccount/legacy.go, pkg/controlplane/controller/legacytokentracking.
import type { Secret, ServiceAccount } from './generated/models.ts'

export const lastUsedLabel = 'kubernetes.io/legacy-token-last-used'
export const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since'
export const accountNameAnnotation = 'kubernetes.io/service-account.name'
export const accountUidAnnotation = 'kubernetes.io/service-account.uid'

/** The ConfigMap whose `since` says from which day on uses have been written down. */
export const tokenTracking = {
  namespace: 'kube-system',
  name: 'kube-apiserver-legacy-service-account-token-tracking',
} as const

export const dayMs = 86_400_000

export const isLegacyToken = ({ type }: Secret): boolean => type === 'kubernetes.io/service-account-token'

/** Older versions of Kubernetes made such a Secret for each account and noted it there. */
export const isGeneratedFor = ({ secrets = [] }: ServiceAccount, { metadata }: Secret): boolean =>
  secrets.some(({ name }) => name === metadata.name)

/** `2026-01-31`, in UTC */
export const dateText = (epochMs: number): string => new Date(epochMs).toISOString().slice(0, 'yyyy-mm-dd'.length)

/** The first moment of the day; undefined: the text is no date. */
export function dateOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const epochMs = Date.parse(text)
  return !Number.isNaN(epochMs) && dateText(epochMs) === text ? epochMs : undefined
}
