// MutatingAdmissionPolicy: changes in CEL that are made to writes, wherever the policy is bound.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicySpec, Mutation } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { mutatingAdmissionPolicies } from '../resources.ts'
import { validateMutatingOperations, validatePolicy } from '../validation/admission-policies.ts'
import { each } from '../validation/scalars.ts'
import { defaultPolicy, policyKind } from './admission-policies.ts'

export const mutatingAdmissionPolicyKind = defineKind({
  ...policyKind('Mutations', policy => (policy as MutatingAdmissionPolicy).spec?.mutations?.length ?? 0),
  resource: mutatingAdmissionPolicies,
  model: 'V1MutatingAdmissionPolicy',
  singular: 'mutatingadmissionpolicy',
  defaults: defaultPolicy,
  validate: ({ spec }) => validateSpec(spec),
})

const reinvocations = ['IfNeeded', 'Never']

function validateSpec(spec: MutatingAdmissionPolicySpec): FieldError[] {
  const { reinvocationPolicy = '' } = spec
  return joinErrors(
    validatePolicy(spec),
    validateMutatingOperations(spec.matchConstraints, 'spec.matchConstraints'),
    (spec.mutations ?? []).length === 0 ? [required('spec.mutations', 'mutations must contain at least one item')] : [],
    each(spec.mutations, 'spec.mutations', validateMutation),
    reinvocationPolicy === ''
      ? [required('spec.reinvocationPolicy')]
      : reinvocations.includes(reinvocationPolicy)
        ? []
        : [notSupported('spec.reinvocationPolicy', reinvocationPolicy, reinvocations)],
  )
}

/** Each type of patch has a field of its own. */
const patchFields = { ApplyConfiguration: 'applyConfiguration', JSONPatch: 'jsonPatch' } as const

function validateMutation(mutation: Mutation, path: string): FieldError[] {
  const { patchType = '' } = mutation as Partial<Mutation>
  if (patchType === '') return [required(`${path}.patchType`)]
  if (!Object.hasOwn(patchFields, patchType))
    return [notSupported(`${path}.patchType`, patchType, Object.keys(patchFields))]
  const own = patchFields[patchType as keyof typeof patchFields]
  const other = own === 'jsonPatch' ? 'applyConfiguration' : 'jsonPatch'
  return joinErrors(
    mutation[own] === undefined
      ? [required(`${path}.${own}`, `must be specified when patchType is ${patchType}`)]
      : (mutation[own].expression ?? '').trim() === ''
        ? [required(`${path}.${own}.expression`)]
        : [],
    mutation[other] === undefined
      ? []
      : [invalidValue(`${path}.${other}`, `{${other}}`, `must not be specified when patchType is ${patchType}`)],
  )
}
