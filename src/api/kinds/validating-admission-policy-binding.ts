// ValidatingAdmissionPolicyBinding: where a policy holds, with which parameters, and what happens then.
import { invalidValue, notSupported, required } from '../field-error.ts'
import type { FieldError } from '../field-error.ts'
import type { ValidatingAdmissionPolicyBindingSpec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { validatingAdmissionPolicyBindings } from '../resources.ts'
import { defaultMatch, validateMatch, validateParamRef } from '../validation/admission-policies.ts'
import { each, requireText } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

const actions = ['Audit', 'Deny', 'Warn']

export const validatingAdmissionPolicyBindingKind = defineKind({
  resource: validatingAdmissionPolicyBindings,
  model: 'V1ValidatingAdmissionPolicyBinding',
  singular: 'validatingadmissionpolicybinding',
  categories: ['api-extensions'],
  generation: true,
  defaults(draft) {
    draft.spec ??= {} as ValidatingAdmissionPolicyBindingSpec
    defaultMatch(draft.spec.matchResources)
  },
  validate: ({ spec }) => [
    ...requireText(spec.policyName, 'spec.policyName'),
    ...validateParamRef(spec.paramRef, 'spec.paramRef'),
    ...validateMatch(spec.matchResources, 'spec.matchResources', false),
    ...validateActions(spec.validationActions ?? []),
  ],
  columns: columns('Name', 'PolicyName', 'ParamRef', 'Age'),
  row: (binding, nowMs) => [binding.metadata.name, binding.spec?.policyName ?? '', paramCell(binding.spec), age(binding, nowMs)],
})

function paramCell(spec: ValidatingAdmissionPolicyBindingSpec | undefined): string {
  const { name, namespace } = spec?.paramRef ?? {}
  return spec?.paramRef === undefined ? '<unset>' : namespace ? `${namespace}/${name ?? '*'}` : name ?? '*'
}

function validateActions(given: readonly string[]): FieldError[] {
  const field = 'spec.validationActions'
  if (given.length === 0) return [required(field, 'at least one validation action is required')]
  return [
    ...each(given, field, (action, path) => (actions.includes(action) ? [] : [notSupported(path, action, actions)])),
    ...(given.includes('Deny') && given.includes('Warn') ? [invalidValue(field, given, 'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)')] : []),
  ]
}
