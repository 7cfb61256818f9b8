// MutatingAdmissionPolicyBinding: where a policy holds, with which parameters.
import { defineKind } from '../kind.ts'
import { joinErrors } from '../field-error.ts'
import { mutatingAdmissionPolicyBindings } from '../resources.ts'
import { validateBinding, validateMutatingOperations } from '../validation/admission-policies.ts'
import { bindingKind } from './admission-policies.ts'

export const mutatingAdmissionPolicyBindingKind = defineKind({
  ...bindingKind,
  resource: mutatingAdmissionPolicyBindings,
  model: 'V1MutatingAdmissionPolicyBinding',
  singular: 'mutatingadmissionpolicybinding',
  validate: ({ spec }) =>
    joinErrors(validateBinding(spec), validateMutatingOperations(spec.matchResources, 'spec.matchResources')),
})
