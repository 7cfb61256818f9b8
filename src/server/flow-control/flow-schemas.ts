// To which flow a request belongs: the first schema, by precedence, one of whose rules matches it.
import type { FlowSchema, FlowcontrolSubject as Subject, PolicyRulesWithSubjects } from '../../api/generated/models.ts'
import { isPath, type Attributes, type PathAttributes, type ResourceAttributes } from '../auth/attributes.ts'
import type { UserInfo } from '../request.ts'

const has = (list: readonly string[] | undefined, wanted: string): boolean =>
  list !== undefined && (list.includes(wanted) || list.includes('*'))

export function inOrder(schemas: readonly FlowSchema[]): FlowSchema[] {
  return schemas.toSorted(
    (left, right) =>
      left.spec.matchingPrecedence! - right.spec.matchingPrecedence! ||
      (left.metadata.name < right.metadata.name ? -1 : 1),
  )
}

export function schemaMatches({ spec }: FlowSchema, user: UserInfo, attributes: Attributes): boolean {
  return (spec.rules ?? []).some(
    rules =>
      rules.subjects.some(subject => isSubject(subject, user)) &&
      (isPath(attributes) ? pathMatches(rules, attributes) : resourceMatches(rules, attributes)),
  )
}

function isSubject(subject: Subject, { username, groups }: UserInfo): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.user?.name === '*' || subject.user?.name === username
    case 'Group':
      return subject.group?.name === '*' || groups.includes(subject.group?.name ?? '')
    case 'ServiceAccount': {
      const { namespace, name } = subject.serviceAccount!
      return name === '*'
        ? username.startsWith(`system:serviceaccount:${namespace}:`)
        : username === `system:serviceaccount:${namespace}:${name}`
    }
    default:
      return false
  }
}

function resourceMatches(
  { resourceRules }: PolicyRulesWithSubjects,
  { verb, group, resource, subresource, namespace }: ResourceAttributes,
): boolean {
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`
  return (resourceRules ?? []).some(
    rule =>
      has(rule.verbs, verb) &&
      has(rule.apiGroups, group) &&
      has(rule.resources, whole) &&
      (namespace === undefined ? rule.clusterScope === true : has(rule.namespaces, namespace)),
  )
}

function pathMatches({ nonResourceRules }: PolicyRulesWithSubjects, { verb, path }: PathAttributes): boolean {
  return (nonResourceRules ?? []).some(
    ({ verbs, nonResourceURLs }) =>
      has(verbs, verb) &&
      nonResourceURLs.some(
        pattern =>
          pattern === '*' || pattern === path || (pattern.endsWith('/*') && path.startsWith(pattern.slice(0, -1))),
      ),
  )
}

/** What tells the flows of one schema apart: requests of one flow wait behind each other, flows take turns. */
export function distinguisherOf({ spec }: FlowSchema, user: UserInfo, attributes: Attributes): string {
  switch (spec.distinguisherMethod?.type) {
    case 'ByUser':
      return user.username
    case 'ByNamespace':
      return isPath(attributes) ? '' : (attributes.namespace ?? '')
    default:
      return ''
  }
}
