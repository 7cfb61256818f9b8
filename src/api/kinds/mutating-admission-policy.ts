// MutatingAdmissionPolicy: changes in CEL that are made to writes, wherever the policy is bound.
import type { FieldError } from '../field-error.ts'
import { notSupported, required } from '../field-error.ts'
import type { MutatingAdmissionPolicySpec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { mutatingAdmissionPolicies } from '../resources.ts'
import { defaultMatch, validateFailurePolicy, validateMatch, validateParamKind } from '../validation/admission-policies.ts'
import { each, requireText } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const mutatingAdmissionPolicyKind = defineKind({
  resource: mutatingAdmissionPolicies,
  model: 'V1MutatingAdmissionPolicy',
  singular: 'mutatingadmissionpolicy',
  categories: ['api-extensions'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
    draft.spec.failurePolicy ??= 'Fail'
    defaultMatch(draft.spec.matchConstraints)
  },
  validate: ({ spec }) => validateSpec(spec),
  columns: columns('Name', 'Mutations:integer', 'ParamKind', 'Age'),
  row: (policy, nowMs) => [policy.metadata.name, policy.spec?.mutations?.length ?? 0, policy.spec?.paramKind === undefined ? '<unset>' : `${policy.spec.paramKind.apiVersion ?? ''}/${policy.spec.paramKind.kind ?? ''}`, age(policy, nowMs)],
})

function validateSpec(spec: MutatingAdmissionPolicySpec): FieldError[] {
  return [
    ...validateFailurePolicy(spec.failurePolicy, 'spec.failurePolicy'),
    ...validateParamKind(spec.paramKind, 'spec.paramKind'),
    ...validateMatch(spec.matchConstraints, 'spec.matchConstraints', true),
    ...((spec.mutations ?? []).length === 0 ? [required('spec.mutations', 'mutations must contain at least one item')] : []),
    ...each(spec.mutations, 'spec.mutations', (mutation, path) => {
      switch (mutation.patchType) {
        case 'ApplyConfiguration': return requireText(mutation.applyConfiguration?.expression, `${path}.applyConfiguration.expression`)
        case 'JSONPatch': return requireText(mutation.jsonPatch?.expression, `${path}.jsonPatch.expression`)
        default: return [notSupported(`${path}.patchType`, mutation.patchType ?? '', ['ApplyConfiguration', 'JSONPatch'])]
      }
    }),
    ...(spec.reinvocationPolicy === undefined || spec.reinvocationPolicy === '' ? [required('spec.reinvocationPolicy')] : ['IfNeeded', 'Never'].includes(spec.reinvocationPolicy) ? [] : [notSupported('spec.reinvocationPolicy', spec.reinvocationPolicy, ['IfNeeded', 'Never'])]),
  ]
}
