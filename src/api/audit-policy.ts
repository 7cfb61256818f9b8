// Which requests are written to the audit log, and how much of them: a Policy of audit.k8s.io/v1. Pure.
// Source: staging/src/k8s.io/apiserver/pkg/audit/policy.
import { isObject, type JsonObject } from './patch/json-value.ts'

export const auditLevels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type AuditLevel = (typeof auditLevels)[number]
export const auditStages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type AuditStage = (typeof auditStages)[number]

export interface AuditRule {
  readonly level: AuditLevel
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly {
    readonly group?: string
    readonly resources?: readonly string[]
    readonly resourceNames?: readonly string[]
  }[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly omitStages?: readonly AuditStage[]
  readonly omitManagedFields?: boolean
}

export interface AuditPolicy {
  readonly rules: readonly AuditRule[]
  readonly omitStages?: readonly AuditStage[]
  readonly omitManagedFields?: boolean
}

/** What a rule looks at. */
export interface AuditedRequest {
  readonly username: string | undefined
  readonly groups: readonly string[]
  readonly verb: string
  /** undefined: not about a resource. */
  readonly resource?: {
    readonly group: string
    readonly resource: string
    readonly subresource?: string | undefined
    readonly namespace?: string | undefined
    readonly name?: string | undefined
  }
  readonly path: string
}

export interface AuditVerdict {
  readonly level: AuditLevel
  readonly omitStages: ReadonlySet<AuditStage>
  readonly omitManagedFields: boolean
}

/** The first rule that matches decides; a request that none matches is not written. */
export function auditVerdict(policy: AuditPolicy, request: AuditedRequest): AuditVerdict {
  const rule = policy.rules.find(one => matches(one, request))
  return {
    level: rule?.level ?? 'None',
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule?.omitStages ?? [])]),
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields ?? false,
  }
}

const some = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0

function matches(rule: AuditRule, request: AuditedRequest): boolean {
  if (some(rule.users) && (request.username === undefined || !rule.users!.includes(request.username))) return false
  if (some(rule.userGroups) && !rule.userGroups!.some(group => request.groups.includes(group))) return false
  if (some(rule.verbs) && !rule.verbs!.includes(request.verb)) return false
  if (some(rule.namespaces) || some(rule.resources)) return matchesResource(rule, request)
  if (some(rule.nonResourceURLs))
    return (
      request.resource === undefined &&
      rule.nonResourceURLs!.some(
        pattern =>
          pattern === '*' ||
          pattern === request.path ||
          (pattern.endsWith('*') && request.path.startsWith(pattern.slice(0, -1))),
      )
    )
  return true
}

function matchesResource({ namespaces, resources }: AuditRule, { resource: asked }: AuditedRequest): boolean {
  if (asked === undefined) return false
  if (some(namespaces) && !namespaces!.includes(asked.namespace ?? '')) return false
  if (!some(resources)) return true
  const { resource, subresource, name = '' } = asked
  const whole = subresource === undefined ? resource : `${resource}/${subresource}`
  const isNamed = (pattern: string): boolean =>
    pattern === whole ||
    pattern === '*' ||
    (subresource !== undefined && pattern === `*/${subresource}`) ||
    (pattern.endsWith('/*') && pattern.slice(0, -2) === resource)
  return resources!.some(
    one =>
      (one.group ?? '') === asked.group &&
      (!some(one.resources) ||
        (one.resources!.some(isNamed) && (!some(one.resourceNames) || one.resourceNames!.includes(name)))),
  )
}

const ruleFields = new Set([
  'level',
  'users',
  'userGroups',
  'verbs',
  'resources',
  'namespaces',
  'nonResourceURLs',
  'omitStages',
  'omitManagedFields',
])
const policyFields = new Set(['apiVersion', 'kind', 'metadata', 'rules', 'omitStages', 'omitManagedFields'])

/** @throws Error that says what was expected and found, and where */
export function readAuditPolicy(document: unknown): AuditPolicy {
  if (!isObject(document)) throw new Error('expected a Policy of audit.k8s.io/v1')
  if (document['apiVersion'] !== 'audit.k8s.io/v1' || document['kind'] !== 'Policy')
    throw new Error(
      `expected apiVersion audit.k8s.io/v1 and kind Policy, found ${String(document['apiVersion'])} and ${String(document['kind'])}`,
    )
  assertKnown(document, policyFields, '')
  const { rules, omitStages } = document
  if (!Array.isArray(rules) || rules.length === 0) throw new Error('rules: expected at least one rule')
  checkStages(omitStages, 'omitStages')
  for (const [index, rule] of rules.entries()) checkRule(rule, `rules[${index}]`)
  return document as unknown as AuditPolicy
}

function assertKnown(object: JsonObject, known: ReadonlySet<string>, where: string): void {
  const other = Object.keys(object).find(name => !known.has(name))
  if (other !== undefined) throw new Error(`${where}${other}: unknown field; expected one of ${[...known].join(', ')}`)
}

function checkRule(rule: unknown, where: string): void {
  if (!isObject(rule)) throw new Error(`${where}: expected a rule`)
  assertKnown(rule, ruleFields, `${where}.`)
  if (!auditLevels.includes(rule['level'] as AuditLevel))
    throw new Error(
      `${where}.level: expected one of ${auditLevels.join(', ')}, found ${JSON.stringify(rule['level'] ?? '')}`,
    )
  for (const field of ['users', 'userGroups', 'verbs', 'namespaces', 'nonResourceURLs'] as const)
    checkTexts(rule[field], `${where}.${field}`)
  checkStages(rule['omitStages'], `${where}.omitStages`)
  const { resources = [], nonResourceURLs, namespaces } = rule
  if (!Array.isArray(resources)) throw new Error(`${where}.resources: expected a list`)
  for (const [index, one] of resources.entries()) checkGroup(one, `${where}.resources[${index}]`)
  if (some(nonResourceURLs as unknown[]) && (resources.length > 0 || some(namespaces as unknown[])))
    throw new Error(`${where}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`)
}

function checkGroup(group: unknown, where: string): void {
  if (!isObject(group)) throw new Error(`${where}: expected group and resources`)
  assertKnown(group, new Set(['group', 'resources', 'resourceNames']), `${where}.`)
  checkTexts(group['resources'], `${where}.resources`)
  checkTexts(group['resourceNames'], `${where}.resourceNames`)
  if (some(group['resourceNames'] as unknown[]) && !some(group['resources'] as unknown[]))
    throw new Error(`${where}.resourceNames: using resourceNames requires at least one resource`)
}

function checkTexts(value: unknown, where: string): void {
  if (value !== undefined && value !== null && (!Array.isArray(value) || value.some(item => typeof item !== 'string')))
    throw new Error(`${where}: expected a list of texts`)
}

function checkStages(value: unknown, where: string): void {
  checkTexts(value, where)
  const other = ((value ?? []) as string[]).find(stage => !auditStages.includes(stage as AuditStage))
  if (other !== undefined)
    throw new Error(`${where}: expected some of ${auditStages.join(', ')}, found ${JSON.stringify(other)}`)
}
