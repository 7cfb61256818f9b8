// Rules and subjects of RBAC, which roles and bindings of both scopes share.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { PolicyRule, RbacSubject, RoleRef } from '../generated/models.ts'
import { checkPathSegment, checkSubdomain } from './formats.ts'
import { collect, each, requireText, sameJson } from './scalars.ts'

export const rbacGroup = 'rbac.authorization.k8s.io'

export function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  return each(rules, 'rules', (rule, path) => validateRule(rule, namespaced, path))
}

function validateRule(
  { verbs = [], nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] }: Partial<PolicyRule>,
  namespaced: boolean,
  field: string,
): FieldError[] {
  const withoutVerbs = verbs.length === 0 ? [required(`${field}.verbs`, 'verbs must contain at least one value')] : []
  if (nonResourceURLs.length > 0) {
    const mixed = apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0
    return joinErrors(
      withoutVerbs,
      namespaced
        ? [
            invalidValue(
              `${field}.nonResourceURLs`,
              nonResourceURLs,
              'namespaced rules cannot apply to non-resource URLs',
            ),
          ]
        : [],
      mixed
        ? [
            invalidValue(
              `${field}.nonResourceURLs`,
              nonResourceURLs,
              'rules cannot apply to both regular resources and non-resource URLs',
            ),
          ]
        : [],
    )
  }
  return joinErrors(
    withoutVerbs,
    apiGroups.length === 0 ? [required(`${field}.apiGroups`, 'resource rules must supply at least one api group')] : [],
    resources.length === 0 ? [required(`${field}.resources`, 'resource rules must supply at least one resource')] : [],
  )
}

/** Fills in the group of users, groups and roles. */
export function defaultBinding(binding: { roleRef: Partial<RoleRef>; subjects?: RbacSubject[] }): void {
  binding.roleRef.apiGroup ||= rbacGroup
  for (const subject of binding.subjects ?? [])
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= rbacGroup
}

export function validateBinding(
  { roleRef, subjects }: { roleRef: RoleRef; subjects?: RbacSubject[] },
  roleKinds: readonly string[],
  namespaced: boolean,
): FieldError[] {
  return joinErrors(
    roleRef.apiGroup === rbacGroup ? [] : [notSupported('roleRef.apiGroup', roleRef.apiGroup, [rbacGroup])],
    roleKinds.includes(roleRef.kind) ? [] : [notSupported('roleRef.kind', roleRef.kind ?? '', roleKinds)],
    requireText(roleRef.name, 'roleRef.name', checkPathSegment),
    each(subjects, 'subjects', (subject, path) => validateSubject(subject, namespaced, path)),
  )
}

function validateSubject(
  { kind, name = '', namespace = '', apiGroup = '' }: Partial<RbacSubject>,
  namespaced: boolean,
  field: string,
): FieldError[] {
  const unnamed = name === '' ? [required(`${field}.name`)] : []
  switch (kind) {
    case 'ServiceAccount':
      return joinErrors(
        unnamed,
        name === '' ? [] : collect(checkSubdomain, `${field}.name`, name),
        apiGroup === '' ? [] : [notSupported(`${field}.apiGroup`, apiGroup, [''])],
        !namespaced && namespace === '' ? [required(`${field}.namespace`)] : [],
      )
    case 'User':
    case 'Group':
      return joinErrors(
        unnamed,
        apiGroup === rbacGroup ? [] : [notSupported(`${field}.apiGroup`, apiGroup, [rbacGroup])],
      )
    default:
      return [...unnamed, notSupported(`${field}.kind`, kind ?? '', ['Group', 'ServiceAccount', 'User'])]
  }
}

export const validateRoleKept = (roleRef: RoleRef, old: RoleRef): FieldError[] =>
  sameJson(roleRef, old) ? [] : [invalidValue('roleRef', roleRef, 'cannot change roleRef')]

/** The wide cells of a binding. */
export function subjectCells(subjects: readonly RbacSubject[] = []): [users: string, groups: string, accounts: string] {
  const named = (kind: string): string =>
    subjects
      .filter(subject => subject.kind === kind)
      .map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
      .join(', ')
  return [named('User'), named('Group'), named('ServiceAccount')]
}
