// MutatingAdmissionPolicyBinding: where a policy holds, with which parameters.
import type { MutatingAdmissionPolicyBindingSpec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { mutatingAdmissionPolicyBindings } from '../resources.ts'
import { defaultMatch, validateMatch, validateParamRef } from '../validation/admission-policies.ts'
import { requireText } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const mutatingAdmissionPolicyBindingKind = defineKind({
  resource: mutatingAdmissionPolicyBindings,
  model: 'V1MutatingAdmissionPolicyBinding',
  singular: 'mutatingadmissionpolicybinding',
  categories: ['api-extensions'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
    defaultMatch(draft.spec.matchResources)
  },
  validate: ({ spec }) => [
    ...requireText(spec.policyName, 'spec.policyName'),
    ...validateParamRef(spec.paramRef, 'spec.paramRef'),
    ...validateMatch(spec.matchResources, 'spec.matchResources', false),
  ],
  columns: columns('Name', 'PolicyName', 'ParamRef', 'Age'),
  row: (binding, nowMs) => [binding.metadata.name, binding.spec?.policyName ?? '', paramCell(binding.spec), age(binding, nowMs)],
})

function paramCell(spec: MutatingAdmissionPolicyBindingSpec | undefined): string {
  const { name, namespace } = spec?.paramRef ?? {}
  return spec?.paramRef === undefined ? '<unset>' : namespace ? `${namespace}/${name ?? '*'}` : name ?? '*'
}
