// What of a pod may change after creation: images, a shorter deadline, more tolerations, fewer gates.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors } from '../field-error.ts'
import type { Container, Pod, PodSpec, Toleration } from '../generated/models.ts'
import { each, sameJson } from './scalars.ts'

const allowed = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const early = joinErrors(validateSameContainers(pod.spec, old.spec), validateImages(pod.spec))
  if (early.length > 0) return early
  const specific = joinErrors(
    validateDeadline(pod.spec, old.spec),
    validateGates(pod.spec, old.spec),
    validateTolerationsKept(pod.spec.tolerations, old.spec.tolerations),
  )
  if (sameJson(pod.spec, old.spec)) return specific
  const changed = changedPaths(withUpdatable(pod.spec, old), old.spec)
  return changed.length === 0
    ? specific
    : [
        ...specific,
        forbiddenField('spec', `pod updates may not change fields other than ${allowed}\n${describeChanges(changed)}`),
      ]
}

function validateSameContainers(spec: PodSpec, old: PodSpec): FieldError[] {
  return joinErrors(
    spec.containers.length === old.containers.length
      ? []
      : [forbiddenField('spec.containers', 'pod updates may not add or remove containers')],
    (spec.initContainers ?? []).length === (old.initContainers ?? []).length
      ? []
      : [forbiddenField('spec.initContainers', 'pod updates may not add or remove containers')],
  )
}

const validateImages = (spec: PodSpec): FieldError[] =>
  each(spec.containers, 'spec.containers', ({ image = '' }, path) =>
    image === image.trim()
      ? []
      : [invalidValue(`${path}.image`, image, 'must not have leading or trailing whitespace')],
  )

function validateDeadline(
  { activeDeadlineSeconds: deadline }: PodSpec,
  { activeDeadlineSeconds: old }: PodSpec,
): FieldError[] {
  const field = 'spec.activeDeadlineSeconds'
  if (deadline === undefined)
    return old === undefined
      ? []
      : [invalidValue(field, deadline, 'must not update from a positive integer to nil value')]
  return old !== undefined && old < deadline
    ? [invalidValue(field, deadline, 'must be less than or equal to previous value')]
    : []
}

function validateGates({ schedulingGates: gates }: PodSpec, { schedulingGates: old = [] }: PodSpec): FieldError[] {
  const known = new Set(old.map(gate => gate.name))
  return each(gates, 'spec.schedulingGates', (gate, path) =>
    known.has(gate.name) ? [] : [forbiddenField(path, 'only deletion is allowed, but found new scheduling gate')],
  )
}

function validateTolerationsKept(
  tolerations: readonly Toleration[] = [],
  old: readonly Toleration[] = [],
): FieldError[] {
  const key = ({ key, operator, value, effect }: Toleration): string => JSON.stringify([key, operator, value, effect])
  const now = new Set(tolerations.map(key))
  return old.every(toleration => now.has(key(toleration)))
    ? []
    : [forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds')]
}

/** The new specification with everything that may change set back to the old values. */
function withUpdatable(spec: PodSpec, { spec: old }: Pod): PodSpec {
  const gated = (old.schedulingGates ?? []).length > 0
  const oldGrace = old.terminationGracePeriodSeconds ?? 0
  return {
    ...spec,
    containers: withImages(spec.containers, old.containers),
    initContainers: spec.initContainers && withImages(spec.initContainers, old.initContainers ?? []),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
    ...(oldGrace < 0 && spec.terminationGracePeriodSeconds === 1 && { terminationGracePeriodSeconds: oldGrace }),
    ...(gated && { nodeSelector: old.nodeSelector, affinity: old.affinity }),
  }
}

const withImages = (containers: readonly Container[], old: readonly Container[]): Container[] =>
  containers.map((container, index) => Object.assign({ ...container }, { image: old[index]?.image }))

interface Difference {
  readonly path: string
  readonly was: unknown
  readonly is: unknown
}

function changedPaths(is: unknown, was: unknown, path = 'spec'): Difference[] {
  if (sameJson(is, was)) return []
  if (!isObject(is) || !isObject(was) || Array.isArray(is) !== Array.isArray(was)) return [{ path, was, is }]
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap(key =>
    changedPaths(is[key], was[key], Array.isArray(is) ? `${path}[${key}]` : `${path}.${key}`),
  )
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const describeChanges = (changes: readonly Difference[]): string =>
  changes
    .map(({ path, was, is }) => `- \t${path}: ${JSON.stringify(was)}\n+ \t${path}: ${JSON.stringify(is)}\n`)
    .join('')
