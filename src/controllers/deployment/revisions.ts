// Which ReplicaSet is which revision of a Deployment: comparing templates, naming by hash, annotations.
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../api/generated/models.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { parseInt64 } from '../../lib/int64.ts'
import { stableHash } from '../../lib/stable-hash.ts'

export const hashLabel = 'pod-template-hash'
export const revisionAnnotation = 'deployment.kubernetes.io/revision'
const historyAnnotation = 'deployment.kubernetes.io/revision-history'
const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas'
const maximumAnnotation = 'deployment.kubernetes.io/max-replicas'

const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maximumAnnotation,
  'deprecated.deployment.rollback.to',
])
const historyLimit = 2_000

export const revisionOf = (object: { metadata: { annotations?: Record<string, string> } }): bigint =>
  parseInt64(object.metadata.annotations?.[revisionAnnotation]) ?? 0n

/** The one after those of all other ReplicaSets. */
export const nextRevision = (others: readonly ReplicaSet[]): bigint =>
  others.reduce((highest, set) => (revisionOf(set) > highest ? revisionOf(set) : highest), 0n) + 1n

export const desiredOf = (set: ReplicaSet): number | undefined =>
  numberOf(set.metadata.annotations?.[desiredAnnotation])
export const maximumOf = (set: ReplicaSet): number | undefined =>
  numberOf(set.metadata.annotations?.[maximumAnnotation])
const numberOf = (text: string | undefined): number | undefined =>
  text === undefined || !/^\d+$/.test(text) ? undefined : Number(text)

/** Equal but for the hash that only ReplicaSets carry. */
export function sameTemplate(left: PodTemplateSpec | undefined, right: PodTemplateSpec | undefined): boolean {
  return sameJson(withoutHash(left), withoutHash(right))
}

function withoutHash(template: PodTemplateSpec = {}): unknown {
  const { [hashLabel]: _hash, ...labels } = template.metadata?.labels ?? {}
  return { labels, annotations: template.metadata?.annotations ?? {}, spec: template.spec }
}

/** A collision count makes another hash of the same template. */
export const templateHash = (template: PodTemplateSpec, collisions: number | undefined): string =>
  stableHash(withoutHash(template), collisions === undefined ? '' : `#${collisions}`)

/** The annotations of the current ReplicaSet: the deployment's, its revision, the replica counts. */
export function currentAnnotations(
  deployment: Deployment,
  set: ReplicaSet | undefined,
  revision: bigint,
): Record<string, string> {
  const before = set?.metadata.annotations ?? {}
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key))
  const annotations = { ...before, ...Object.fromEntries(copied) }
  const old = before[revisionAnnotation]
  if (set !== undefined && revisionOf(set) >= revision) return annotations
  annotations[revisionAnnotation] = `${revision}`
  if (old !== undefined) annotations[historyAnnotation] = extendHistory(before[historyAnnotation], old)
  return annotations
}

function extendHistory(history: string | undefined, revision: string): string {
  const revisions = [...(history ? history.split(',') : []), revision]
  while (revisions.join(',').length > historyLimit) revisions.shift()
  return revisions.join(',')
}

export const replicaAnnotations = (desired: number, maximum: number): Record<string, string> => ({
  [desiredAnnotation]: `${desired}`,
  [maximumAnnotation]: `${maximum}`,
})
