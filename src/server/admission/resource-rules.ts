// Which writes a policy or webhook is about: rules over operation, resource, scope and name, and selectors
// over the object and its namespace. With the policy `Equivalent` a rule also means what the same objects are
// called in other groups and versions. Source: apiserver pkg/admission/plugin/policy/matching.
import type {
  LabelSelector,
  MatchResources,
  Namespace,
  NamedRuleWithOperations,
  RuleWithOperations,
} from '../../api/generated/models.ts'
import { matchesSelector, isEmptySelector } from '../../api/label-selector.ts'
import type { KindDefinition } from '../../api/kind.ts'
import { namespaces } from '../../api/resources.ts'
import type { KindRegistry } from '../kind-registry.ts'
import type { AdmissionRequest, ServerContext } from '../server-context.ts'
import { storedResource } from '../storage/kind-storage.ts'
import { matchesRule } from './webhooks/rule-match.ts'

/** The kind as which the request matches: its own, or one that is equivalent; undefined when it does not. */
export function matchedKind(
  match: MatchResources,
  request: AdmissionRequest,
  context: ServerContext,
): KindDefinition | undefined {
  if (!matchesNamespace(match.namespaceSelector, request, context) || !matchesObject(match.objectSelector, request))
    return undefined
  const kinds = match.matchPolicy === 'Exact' ? [request.target.kind] : equivalentKinds(request, context.kinds)
  const byRules = (rules: readonly NamedRuleWithOperations[] = []): KindDefinition | undefined =>
    kinds.find(kind => rules.some(rule => matches(rule, kind, request)))
  if (byRules(match.excludeResourceRules) !== undefined) return undefined
  return (match.resourceRules ?? []).length === 0 ? request.target.kind : byRules(match.resourceRules)
}

/** Found once for each request, however many policies look at it. */
const known = new WeakMap<AdmissionRequest, readonly KindDefinition[]>()

/** The request's kind, and the other kinds that show the same stored objects. */
export function equivalentKinds(request: AdmissionRequest, kinds: KindRegistry): readonly KindDefinition[] {
  const found = known.get(request)
  if (found !== undefined) return found
  const { kind } = request.target
  const same = storedResource(kind)
  const equivalent = kinds
    .all()
    .filter(
      other =>
        other !== kind && storedResource(other).group === same.group && storedResource(other).plural === same.plural,
    )
  const names = [kind, ...equivalent]
  known.set(request, names)
  return names
}

function matches(
  rule: NamedRuleWithOperations,
  { resource: { group, version, plural } }: KindDefinition,
  request: AdmissionRequest,
): boolean {
  const {
    operation,
    target: { namespace, name, subresource = '' },
  } = request
  const subject = {
    operation,
    group,
    version,
    plural,
    subresource,
    namespace: isNamespace(request) ? undefined : namespace,
  }
  return (
    ((rule.resourceNames ?? []).length === 0 || rule.resourceNames!.includes(name)) &&
    matchesRule(rule as RuleWithOperations, subject)
  )
}

const isNamespace = ({ target }: AdmissionRequest): boolean =>
  target.kind.resource.group === '' && target.kind.resource.plural === 'namespaces'

/** Cluster-scoped objects always match, namespaces by their own labels. */
function matchesNamespace(
  selector: LabelSelector | undefined,
  request: AdmissionRequest,
  context: ServerContext,
): boolean {
  if (selector === undefined || isEmptySelector(selector)) return true
  if (isNamespace(request)) return matchesSelector(selector, (request.object ?? request.old)?.metadata?.labels)
  const namespace = namespaceOf(request, context)
  return request.target.namespace === undefined || matchesSelector(selector, namespace?.metadata.labels)
}

const matchesObject = (selector: LabelSelector | undefined, { object, old }: AdmissionRequest): boolean =>
  selector === undefined ||
  isEmptySelector(selector) ||
  [object, old].some(one => one?.metadata !== undefined && matchesSelector(selector, one.metadata.labels))

/** The namespace the object is in; undefined for cluster-scoped objects. */
export const namespaceOf = ({ target }: AdmissionRequest, { storage }: ServerContext): Namespace | undefined =>
  target.namespace === undefined
    ? undefined
    : (storage.get(namespaces, target.namespace)?.object as Namespace | undefined)
