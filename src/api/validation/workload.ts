// What everything with a pod template and a selector shares: replicas, the selector's match, the
// restart policy.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { LabelSelector, PodTemplateSpec } from '../generated/models.ts'
import { isEmptySelector, matchesSelector } from '../label-selector.ts'
import { validateLabelSelector } from './label-selector.ts'
import { validatePodTemplate } from './pod-spec.ts'
import { validateNonNegative } from './scalars.ts'

export interface Workload {
  readonly replicas?: number
  readonly minReadySeconds?: number
  readonly selector?: LabelSelector
  readonly template?: PodTemplateSpec
}

/** `kind` appears in the message about an empty selector. */
export function validateWorkload(spec: Workload, kind: string): FieldError[] {
  return joinErrors(
    validateNonNegative(spec.replicas, 'spec.replicas'),
    validateNonNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    validateSelector(spec.selector, kind),
    validateMatch(spec),
    validatePodTemplate(spec.template, 'spec.template'),
    validateAlways(spec.template),
  )
}

function validateSelector(selector: LabelSelector | undefined, kind: string): FieldError[] {
  if (selector === undefined) return [required('spec.selector')]
  return joinErrors(
    validateLabelSelector(selector, 'spec.selector'),
    isEmptySelector(selector) ? [invalidValue('spec.selector', selector, `empty selector is invalid for ${kind}`)] : [],
  )
}

function validateMatch({ selector, template }: Workload): FieldError[] {
  const labels = template?.metadata?.labels ?? {}
  if (selector !== undefined && (isEmptySelector(selector) || matchesSelector(selector, labels))) return []
  return [invalidValue('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]
}

function validateAlways(template: PodTemplateSpec | undefined): FieldError[] {
  const policy = template?.spec?.restartPolicy
  return policy === undefined || policy === 'Always'
    ? []
    : [notSupported('spec.template.spec.restartPolicy', policy, ['Always'])]
}

export function validateReplicaStatus(status: { readonly [count: string]: unknown } | undefined): FieldError[] {
  const counts = [
    'replicas',
    'fullyLabeledReplicas',
    'readyReplicas',
    'availableReplicas',
    'updatedReplicas',
    'unavailableReplicas',
    'observedGeneration',
  ]
  return counts.flatMap(name => validateNonNegative(status?.[name] as number | undefined, `status.${name}`))
}
