// How objects of the cluster say which part of which service they are. Everything of a service is found by its labels,
// in one list for each kind; what does not fit into a label (a long name, a version with odd characters) stands in an
// annotation beside it. Pure.
import type { ObjectMeta } from '../../../api/generated/models.ts'
import { stableHash } from '../../../lib/stable-hash.ts'

/** Of server-side apply. */
export const fieldManager = 'sampan'

export const label = {
  service: 'app.kubernetes.io/name',
  version: 'app.kubernetes.io/version',
  managedBy: 'app.kubernetes.io/managed-by',
  track: 'sampan.dev/track',
  serving: 'sampan.dev/serving',
  task: 'sampan.dev/task',
  run: 'sampan.dev/run',
  bundle: 'sampan.dev/bundle',
} as const

export const annotation = {
  /** The part's own name. */
  part: 'sampan.dev/part',
  version: 'sampan.dev/version',
  /** Differs from delivery to delivery, so that an image is pulled anew. */
  delivered: 'sampan.dev/delivered',
  timing: 'sampan.dev/timing',
  /** Why a run was ended that could not begin or go on. */
  ended: 'sampan.dev/ended',
} as const

const longestLabel = 63

/** A name that the cluster takes. What is too long ends in a hash of the whole instead. */
export function objectName(name: string, longest = longestLabel): string {
  if (name.length <= longest) return name
  const hash = stableHash(name)
  return `${name.slice(0, longest - hash.length - 1).replace(/[^a-z0-9]+$/, '')}-${hash}`
}

/** Names of a CronJob's Jobs have the time at the end. */
export const cronJobName = (name: string): string => objectName(name, 52)

export function labelValue(text: string): string {
  const allowed = text.replaceAll(/[^-._a-zA-Z0-9]/g, '_')
  const short = allowed.length <= longestLabel ? allowed : `${allowed.slice(0, 50)}-${stableHash(text)}`
  return short.replace(/^[^a-zA-Z0-9]+/, '').replace(/[^a-zA-Z0-9]+$/, '')
}

export const serviceLabels = (service: string): Record<string, string> => ({
  [label.service]: labelValue(service),
  [label.managedBy]: 'sampan',
})

/** Of a part that is one object and no workload. */
export const partMetadata = (namespace: string, name: string, service: string): Partial<ObjectMeta> => ({
  name: objectName(name),
  namespace,
  labels: serviceLabels(service),
  annotations: { [annotation.part]: name },
})

/** Of the instances of a workload. */
export const trackLabels = (service: string, track: string): Record<string, string> => ({
  [label.service]: labelValue(service),
  [label.track]: labelValue(track),
})

export const partNameOf = ({ name, annotations }: ObjectMeta): string => annotations?.[annotation.part] ?? name

export const versionOf = ({ labels, annotations }: ObjectMeta): string =>
  annotations?.[annotation.version] ?? labels?.[label.version] ?? ''

/** Labels as a query has them. */
export const selectorText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** As a query asks for several values of a label; values that are no names are asked for as `labelValue` has them. */
export const oneOf = (key: string, names: readonly string[]): string => `${key} in (${names.map(labelValue).join(',')})`

/** The version as a label; where that cannot say it whole, an annotation does. */
export function versionMarks(version: string): {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
} {
  const value = labelValue(version)
  return {
    labels: value === '' ? {} : { [label.version]: value },
    annotations: value === version ? {} : { [annotation.version]: version },
  }
}
