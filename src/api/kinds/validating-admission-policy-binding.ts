// ValidatingAdmissionPolicyBinding: where a policy holds, with which parameters, and what happens then.
import { duplicate, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { FieldError } from '../field-error.ts'
import { defineKind } from '../kind.ts'
import { validatingAdmissionPolicyBindings } from '../resources.ts'
import { validateBinding } from '../validation/admission-policies.ts'
import { each } from '../validation/scalars.ts'
import { bindingKind } from './admission-policies.ts'

export const validatingAdmissionPolicyBindingKind = defineKind({
  ...bindingKind,
  resource: validatingAdmissionPolicyBindings,
  model: 'V1ValidatingAdmissionPolicyBinding',
  singular: 'validatingadmissionpolicybinding',
  validate: ({ spec }) => joinErrors(validateBinding(spec), validateActions(spec.validationActions ?? [])),
})

const actions = ['Audit', 'Deny', 'Warn']

function validateActions(given: readonly string[]): FieldError[] {
  const field = 'spec.validationActions'
  if (given.length === 0) return [required(field, 'at least one validation action is required')]
  return joinErrors(
    each(given, field, (action, path, index) =>
      joinErrors(
        actions.includes(action) ? [] : [notSupported(path, action, actions)],
        given.indexOf(action) < index ? [duplicate(path, action)] : [],
      ),
    ),
    given.includes('Deny') && given.includes('Warn')
      ? [
          invalidValue(
            field,
            given,
            'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
          ),
        ]
      : [],
  )
}
