// What validating and mutating admission policies and their bindings share.
import type { FieldError } from '../field-error.ts'
import { invalidValue, notSupported, required } from '../field-error.ts'
import type { MatchResources, ParamKind, ParamRef } from '../generated/models.ts'
import { validateLabelSelector } from './label-selector.ts'
import { each, requireText } from './scalars.ts'
import { validateRule } from './webhooks.ts'

export function defaultMatch(match: MatchResources | undefined): void {
  if (match === undefined) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*'
}

export function validateMatch(match: MatchResources | undefined, field: string, mustSelect: boolean): FieldError[] {
  if (match === undefined) return mustSelect ? [required(field)] : []
  return [
    ...(match.matchPolicy === undefined || ['Equivalent', 'Exact'].includes(match.matchPolicy) ? [] : [notSupported(`${field}.matchPolicy`, match.matchPolicy, ['Equivalent', 'Exact'])]),
    ...validateLabelSelector(match.namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(match.objectSelector, `${field}.objectSelector`),
    ...(mustSelect && (match.resourceRules ?? []).length === 0 ? [required(`${field}.resourceRules`)] : []),
    ...each(match.resourceRules, `${field}.resourceRules`, validateRule),
    ...each(match.excludeResourceRules, `${field}.excludeResourceRules`, validateRule),
  ]
}

export const validateFailurePolicy = (policy: string | undefined, field: string): FieldError[] =>
  (policy === undefined ? [required(field)] : ['Fail', 'Ignore'].includes(policy) ? [] : [notSupported(field, policy, ['Fail', 'Ignore'])])

export const validateParamKind = (kind: ParamKind | undefined, field: string): FieldError[] =>
  (kind === undefined ? [] : [...requireText(kind.apiVersion, `${field}.apiVersion`), ...requireText(kind.kind, `${field}.kind`)])

export function validateParamRef(reference: ParamRef | undefined, field: string): FieldError[] {
  if (reference === undefined) return []
  const { name, selector, parameterNotFoundAction: action } = reference
  return [
    ...(name !== undefined && name !== '' && selector !== undefined ? [invalidValue(`${field}.name`, name, 'name and selector are mutually exclusive')] : []),
    ...(!name && selector === undefined ? [required(field, 'one of name or selector must be specified')] : []),
    ...validateLabelSelector(selector, `${field}.selector`),
    ...(action === undefined ? [required(`${field}.parameterNotFoundAction`)] : ['Allow', 'Deny'].includes(action) ? [] : [notSupported(`${field}.parameterNotFoundAction`, action, ['Allow', 'Deny'])]),
  ]
}
