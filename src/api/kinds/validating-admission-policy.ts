// ValidatingAdmissionPolicy: rules in CEL that writes must satisfy, wherever the policy is bound.
import type { FieldError } from '../field-error.ts'
import { joinErrors, required } from '../field-error.ts'
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicySpec } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { validatingAdmissionPolicies } from '../resources.ts'
import { validatePolicy } from '../validation/admission-policies.ts'
import { defaultPolicy, policyKind } from './admission-policies.ts'
import { clientMetadata, keepStatus, statusOnly } from './strategy.ts'

export const validatingAdmissionPolicyKind = defineKind({
  ...policyKind('Validations', policy => (policy as ValidatingAdmissionPolicy).spec?.validations?.length ?? 0),
  resource: validatingAdmissionPolicies,
  model: 'V1ValidatingAdmissionPolicy',
  singular: 'validatingadmissionpolicy',
  defaults(draft) {
    defaultPolicy(draft)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(undefined, clientMetadata),
  validate: ({ spec }) => validateSpec(spec),
})

/** The expressions are checked by the server, which loads CEL for them. */
function validateSpec(spec: ValidatingAdmissionPolicySpec): FieldError[] {
  const nothing = (spec.validations ?? []).length === 0 && (spec.auditAnnotations ?? []).length === 0
  return joinErrors(
    validatePolicy(spec),
    nothing
      ? [
          required('spec.validations', 'validations or auditAnnotations must contain at least one item'),
          required('spec.auditAnnotations', 'validations or auditAnnotations must contain at least one item'),
        ]
      : [],
  )
}
