// What validating and mutating admission policies have in common as kinds, and what their bindings have.
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../generated/models.ts'
import { defaultMatch } from '../validation/admission-policies.ts'
import { age, columns, none } from './cells.ts'

type Policy = ValidatingAdmissionPolicy | MutatingAdmissionPolicy
type Binding = ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding

const common = { categories: ['api-extensions'], generation: true } as const

/** @param of how many expressions a policy has that decide */
export const policyKind = (counted: string, of: (policy: Policy) => number) => ({
  ...common,
  columns: columns('Name', `${counted}:integer`, 'ParamKind', 'Age'),
  row: (policy: Policy, nowMs: number) => [
    policy.metadata.name,
    of(policy),
    paramKindCell(policy.spec?.paramKind),
    age(policy, nowMs),
  ],
})

export function defaultPolicy(draft: Policy): void {
  draft.spec ??= {}
  draft.spec.failurePolicy ??= 'Fail'
  defaultMatch(draft.spec.matchConstraints)
}

export const bindingKind = {
  ...common,
  defaults(draft: Binding): void {
    draft.spec ??= {}
    defaultMatch(draft.spec.matchResources)
  },
  columns: columns('Name', 'PolicyName', 'ParamRef', 'Age'),
  row: (binding: Binding, nowMs: number) => [
    binding.metadata.name,
    binding.spec?.policyName ?? '',
    paramCell(binding.spec?.paramRef),
    age(binding, nowMs),
  ],
}

const paramKindCell = (kind: ParamKind | undefined): string =>
  kind === undefined ? '<unset>' : `${kind.apiVersion ?? none}/${kind.kind ?? ''}`

function paramCell(reference: ParamRef | undefined): string {
  if (reference === undefined) return '<unset>'
  const name = reference.name ?? '*'
  return reference.namespace ? `${reference.namespace}/${name}` : name
}
