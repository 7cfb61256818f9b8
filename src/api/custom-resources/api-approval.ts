// Groups of the Kubernetes project itself (*.k8s.io, *.kubernetes.io) must say that their API was approved,
// or that it was not.
import type { FieldError } from '../field-error.ts'
import { invalidValue, required } from '../field-error.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionCondition as Condition } from '../generated/models.ts'

const annotation = 'api-approved.kubernetes.io'
const more = 'see https://github.com/kubernetes/enhancements/pull/1111'

type State = 'MissingAnnotation' | 'UnapprovedAnnotation' | 'ApprovedAnnotation' | 'InvalidAnnotation'

const isProtected = (group: string): boolean => /(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)

function approval({ metadata }: CustomResourceDefinition): { state: State; message: string; value: string } {
  const value = metadata.annotations?.[annotation] ?? ''
  if (value === '')
    return {
      state: 'MissingAnnotation',
      value,
      message: `protected groups must have approval annotation "${annotation}", ${more}`,
    }
  if (value.startsWith('unapproved'))
    return { state: 'UnapprovedAnnotation', value, message: `not approved: ${JSON.stringify(value)}` }
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/\s]+/.test(value))
    return { state: 'ApprovedAnnotation', value, message: `approved in ${value}` }
  return {
    state: 'InvalidAnnotation',
    value,
    message: `protected groups must have approval annotation "${annotation}" with either a URL or a reason starting with "unapproved", ${more}`,
  }
}

/** An update that leaves the annotation's state alone is never refused for it. */
export function validateApproval(
  definition: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  if (!isProtected(definition.spec.group)) return []
  const { state, message, value } = approval(definition)
  if (old !== undefined && approval(old).state === state) return []
  const field = `metadata.annotations[${annotation}]`
  return state === 'MissingAnnotation'
    ? [required(field, message)]
    : state === 'InvalidAnnotation'
      ? [invalidValue(field, value, message)]
      : []
}

/** undefined for groups that need no approval. */
export function approvalCondition(definition: CustomResourceDefinition): Condition | undefined {
  if (!isProtected(definition.spec.group)) return undefined
  const { state, message } = approval(definition)
  return {
    type: 'KubernetesAPIApprovalPolicyConformant',
    status: state === 'ApprovedAnnotation' ? 'True' : 'False',
    reason: state,
    message,
  }
}
