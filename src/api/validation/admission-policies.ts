// What validating and mutating admission policies and their bindings share.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { MatchResources, NamedRuleWithOperations, ParamKind, ParamRef } from '../generated/models.ts'
import { checkLabel1035, checkPathSegment, checkSubdomain } from './formats.ts'
import { validateLabelSelector } from './label-selector.ts'
import { each, requireText, validateUnique } from './scalars.ts'
import { validateRule } from './webhooks.ts'

export function defaultMatch(match: MatchResources | undefined): void {
  if (match === undefined) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*'
}

interface PolicySpec {
  readonly failurePolicy?: string
  readonly paramKind?: ParamKind
  readonly matchConstraints?: MatchResources
}

/** What both kinds of policies demand of their specs. */
export function validatePolicy({ failurePolicy, paramKind, matchConstraints }: PolicySpec): FieldError[] {
  const field = 'spec.matchConstraints'
  return joinErrors(
    requireOneOf(failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy'),
    validateParamKind(paramKind, 'spec.paramKind'),
    matchConstraints === undefined ? [required(field)] : validateMatch(matchConstraints, field),
    matchConstraints !== undefined && (matchConstraints.resourceRules ?? []).length === 0
      ? [required(`${field}.resourceRules`)]
      : [],
  )
}

interface BindingSpec {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
}

/** What both kinds of bindings demand of their specs. */
export const validateBinding = ({ policyName, paramRef, matchResources }: BindingSpec): FieldError[] =>
  joinErrors(
    requireText(policyName, 'spec.policyName', checkSubdomain),
    validateParamRef(paramRef, 'spec.paramRef'),
    matchResources === undefined ? [] : validateMatch(matchResources, 'spec.matchResources'),
  )

const mutatingOperations = ['*', 'CONNECT', 'CREATE', 'UPDATE']

/** What is deleted cannot be changed. */
export const validateMutatingOperations = (match: MatchResources | undefined, field: string): FieldError[] =>
  (match?.resourceRules ?? [])
    .flatMap(({ operations = [] }) => operations)
    .flatMap(operation =>
      mutatingOperations.includes(operation)
        ? []
        : [notSupported(`${field}.resourceRules.operations`, operation, mutatingOperations)],
    )

function validateMatch(match: MatchResources, field: string): FieldError[] {
  return joinErrors(
    requireOneOf(match.matchPolicy, ['Equivalent', 'Exact'], `${field}.matchPolicy`),
    validateLabelSelector(match.namespaceSelector, `${field}.namespaceSelector`),
    validateLabelSelector(match.objectSelector, `${field}.objectSelector`),
    each(match.resourceRules, `${field}.resourceRules`, validateNamedRule),
    each(match.excludeResourceRules, `${field}.excludeResourceRules`, validateNamedRule),
  )
}

const validateNamedRule = (rule: NamedRuleWithOperations, field: string): FieldError[] =>
  joinErrors(
    each(rule.resourceNames, `${field}.resourceNames`, (name, path) =>
      checkPathSegment(name).map(problem => invalidValue(path, name, problem)),
    ),
    validateUnique(rule.resourceNames, `${field}.resourceNames`, name => name),
    validateRule(rule, field),
  )

const requireOneOf = (value: string | undefined, supported: readonly string[], field: string): FieldError[] =>
  value === undefined || value === ''
    ? [required(field)]
    : supported.includes(value)
      ? []
      : [notSupported(field, value, supported)]

function validateParamKind(given: ParamKind | undefined, field: string): FieldError[] {
  if (given === undefined) return []
  const { apiVersion = '', kind = '' } = given
  const problems = checkLabel1035(kind.toLowerCase())
  return joinErrors(
    apiVersion === '' ? [required(`${field}.apiVersion`)] : validateGroupVersion(apiVersion, `${field}.apiVersion`),
    kind === ''
      ? [required(`${field}.kind`)]
      : problems.length === 0
        ? []
        : [
            invalidValue(
              `${field}.kind`,
              kind,
              `may have mixed case, but should otherwise match: ${problems.join(',')}`,
            ),
          ],
  )
}

function validateGroupVersion(apiVersion: string, field: string): FieldError[] {
  const parts = apiVersion.split('/')
  if (parts.length > 2) return [invalidValue(field, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  const [group, version] = parts.length === 2 ? (parts as [string, string]) : ['', apiVersion]
  const joined = (value: string, problems: readonly string[]): FieldError[] =>
    problems.length === 0 ? [] : [invalidValue(field, value, problems.join(','))]
  return joinErrors(
    group === '' ? [] : joined(group, checkSubdomain(group)),
    version === ''
      ? [invalidValue(field, apiVersion, 'version must be specified')]
      : joined(version, checkLabel1035(version)),
  )
}

function validateParamRef(reference: ParamRef | undefined, field: string): FieldError[] {
  if (reference === undefined) return []
  const { name = '', selector, parameterNotFoundAction } = reference
  const both = name !== '' && selector !== undefined
  const exclusive = (part: string): FieldError[] =>
    both ? [forbiddenField(`${field}.${part}`, 'name and selector are mutually exclusive')] : []
  return joinErrors(
    name === '' ? [] : checkPathSegment(name).map(problem => invalidValue(`${field}.name`, name, problem)),
    exclusive('name'),
    validateLabelSelector(selector, `${field}.selector`),
    exclusive('selector'),
    name === '' && selector === undefined ? [required(field, 'one of name or selector must be specified')] : [],
    requireOneOf(parameterNotFoundAction, ['Allow', 'Deny'], `${field}.parameterNotFoundAction`),
  )
}
