// Whether a rule of an admission webhook or policy is about a request.
// Source: apiserver pkg/admission/plugin/webhook/predicates/rules.
import type { RuleWithOperations } from '../../../api/generated/models.ts'

export interface RuleSubject {
  readonly operation: string
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly subresource: string
  /** undefined for what is in no namespace. A namespace object counts as being outside. */
  readonly namespace: string | undefined
}

export function matchesRule(rule: RuleWithOperations, subject: RuleSubject): boolean {
  return (
    includes(rule.operations, subject.operation) &&
    includes(rule.apiGroups, subject.group) &&
    includes(rule.apiVersions, subject.version) &&
    matchesScope(rule.scope, subject.namespace) &&
    (rule.resources ?? []).some(resource => matchesResource(resource, subject))
  )
}

const includes = (wanted: readonly string[] | undefined, value: string): boolean =>
  wanted !== undefined && (wanted.includes('*') || wanted.includes(value))

const matchesScope = (scope: string | undefined, namespace: string | undefined): boolean =>
  scope === undefined || scope === '*' || (scope === 'Namespaced') === (namespace !== undefined)

/** `pods` is the pod alone, `pods/*` the pod and its parts, `*` every object without its parts. */
function matchesResource(resource: string, { plural, subresource }: RuleSubject): boolean {
  const [wanted, part = ''] = resource.split('/', 2)
  return (wanted === '*' || wanted === plural) && (part === '*' || part === subresource)
}
