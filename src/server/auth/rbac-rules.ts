// Role rules as such: whether one allows something, and whether a set of them covers another. Pure.
// Source: pkg/registry/rbac/validation and plugin/pkg/auth/authorizer/rbac of Kubernetes.
import type { PolicyRule } from '../../api/generated/models.ts'
import { isPath, type Attributes } from './attributes.ts'

const has = (list: readonly string[] | undefined, wanted: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(wanted))

export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!has(rule.verbs, attributes.verb)) return false
  if (isPath(attributes)) return (rule.nonResourceURLs ?? []).some(pattern => pathMatches(pattern, attributes.path))
  return (
    has(rule.apiGroups, attributes.group) &&
    resourceMatches(rule.resources ?? [], attributes.resource, attributes.subresource) &&
    ((rule.resourceNames ?? []).length === 0 ||
      (attributes.name !== undefined && rule.resourceNames!.includes(attributes.name)))
  )
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)))
}

function resourceMatches(resources: readonly string[], resource: string, subresource: string | undefined): boolean {
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`
  return resources.some(
    pattern => pattern === '*' || pattern === whole || (subresource !== undefined && pattern === `*/${subresource}`),
  )
}

/** The parts of `wanted` that `held` does not allow, each with one verb, group and resource. */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(broken).filter(part => !held.some(rule => contains(rule, part)))
}

function broken(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = []
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) parts.push({ verbs: [verb], nonResourceURLs: [url] })
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const names = rule.resourceNames ?? []
        if (names.length === 0) parts.push({ verbs: [verb], apiGroups: [group], resources: [resource] })
        else
          for (const name of names)
            parts.push({ verbs: [verb], apiGroups: [group], resources: [resource], resourceNames: [name] })
      }
    }
  }
  return parts
}

function contains(rule: PolicyRule, part: PolicyRule): boolean {
  if (!has(rule.verbs, part.verbs[0]!)) return false
  if (part.nonResourceURLs !== undefined)
    return (rule.nonResourceURLs ?? []).some(pattern => pathMatches(pattern, part.nonResourceURLs![0]!))
  const [resource, subresource] = part.resources![0]!.split('/', 2)
  const names = rule.resourceNames ?? []
  return (
    has(rule.apiGroups, part.apiGroups![0]!) &&
    resourceMatches(rule.resources ?? [], resource!, subresource) &&
    (names.length === 0 || (part.resourceNames !== undefined && names.includes(part.resourceNames[0]!)))
  )
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`, one a line. */
export function ruleText(rule: PolicyRule): string {
  const list = (items: readonly string[]): string => `[${items.map(item => JSON.stringify(item)).join(' ')}]`
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['ResourceNames', rule.resourceNames],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['Verbs', rule.verbs],
  ]
  return `{${parts
    .filter(([, items]) => items !== undefined && items.length > 0)
    .map(([name, items]) => `${name}:${list(items!)}`)
    .join(', ')}}`
}
