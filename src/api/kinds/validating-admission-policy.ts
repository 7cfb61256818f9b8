// ValidatingAdmissionPolicy: rules in CEL that writes must satisfy, wherever the policy is bound.
import { required } from '../field-error.ts'
import type { ValidatingAdmissionPolicySpec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { validatingAdmissionPolicies } from '../resources.ts'
import { defaultMatch, validateFailurePolicy, validateMatch, validateParamKind } from '../validation/admission-policies.ts'
import { age, columns, none } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

export const validatingAdmissionPolicyKind = defineKind({
  resource: validatingAdmissionPolicies,
  model: 'V1ValidatingAdmissionPolicy',
  singular: 'validatingadmissionpolicy',
  categories: ['api-extensions'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
    draft.spec.failurePolicy ??= 'Fail'
    defaultMatch(draft.spec.matchConstraints)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate: ({ spec }) => validateSpec(spec),
  columns: columns('Name', 'Validations:integer', 'ParamKind', 'Age'),
  row: (policy, nowMs) => [policy.metadata.name, policy.spec?.validations?.length ?? 0, paramKindCell(policy.spec?.paramKind), age(policy, nowMs)],
})

const paramKindCell = (kind: ValidatingAdmissionPolicySpec['paramKind']): string => (kind === undefined ? '<unset>' : `${kind.apiVersion ?? none}/${kind.kind ?? ''}`)

/** The expressions are checked by the server, which loads CEL for them. */
function validateSpec(spec: ValidatingAdmissionPolicySpec): ReturnType<typeof validateMatch> {
  const nothing = (spec.validations ?? []).length === 0 && (spec.auditAnnotations ?? []).length === 0
  return [
    ...validateFailurePolicy(spec.failurePolicy, 'spec.failurePolicy'),
    ...validateParamKind(spec.paramKind, 'spec.paramKind'),
    ...validateMatch(spec.matchConstraints, 'spec.matchConstraints', true),
    ...(nothing ? [required('spec.validations', 'validations or auditAnnotations must contain at least one item'), required('spec.auditAnnotations', 'validations or auditAnnotations must contain at least one item')] : []),
  ]
}
