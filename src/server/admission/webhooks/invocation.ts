// Whether a webhook is to be asked about a request, and as which version of the resource.
// Source: apiserver pkg/admission/plugin/webhook/generic.
import { notFound } from '../../../api/api-error.ts'
import type { KindDefinition } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/object.ts'
import { namespaces } from '../../../api/resources.ts'
import type { Labels } from '../../../api/label-selector.ts'
import type { AdmissionRequest, ServerContext } from '../../server-context.ts'
import type { CompiledWebhook } from './compiled-webhooks.ts'
import { equivalentKinds } from '../resource-rules.ts'
import { matchesRule, type RuleSubject } from './rule-match.ts'

export interface Invocation {
  readonly webhook: CompiledWebhook
  /** The kind in whose form the webhook wants the object. */
  readonly kind: KindDefinition
}

const exempt = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
])

/** Nobody keeps others from repairing what decides about requests. */
export const isExempt = ({
  target: {
    kind: { resource },
  },
}: AdmissionRequest): boolean => resource.group === 'admissionregistration.k8s.io' && exempt.has(resource.plural)

const isNamespaceObject = ({
  target: {
    kind: { resource },
  },
}: AdmissionRequest): boolean => resource.group === '' && resource.plural === 'namespaces'

/** undefined: not to be asked. @throws ApiError when that cannot be told */
export function invocationOf(
  webhook: CompiledWebhook,
  request: AdmissionRequest,
  context: ServerContext,
): Invocation | undefined {
  if (webhook.matchesObject !== undefined && !matchesEither(webhook.matchesObject, request)) return undefined
  const kind = matchingKind(webhook, request, context)
  return kind !== undefined && inNamespaces(webhook, request, context) ? { webhook, kind } : undefined
}

function matchingKind(
  webhook: CompiledWebhook,
  request: AdmissionRequest,
  context: ServerContext,
): KindDefinition | undefined {
  const {
    target: { kind, namespace, subresource = '' },
    operation,
  } = request
  const matches = (candidate: KindDefinition): boolean => {
    const { group, version, plural } = candidate.resource
    const subject: RuleSubject = {
      operation,
      group,
      version,
      plural,
      subresource,
      namespace: isNamespaceObject(request) ? undefined : namespace,
    }
    return webhook.rules.some(rule => matchesRule(rule, subject))
  }
  if (matches(kind)) return kind
  return webhook.equivalent ? equivalentKinds(request, context.kinds).find(matches) : undefined
}

function matchesEither(matches: (labels: Labels) => boolean, { object, old }: AdmissionRequest): boolean {
  return [object, old].some(
    one => (one as Partial<KubeObject> | undefined)?.metadata !== undefined && matches(one!.metadata.labels ?? {}),
  )
}

function inNamespaces(
  { matchesNamespace }: CompiledWebhook,
  request: AdmissionRequest,
  { storage }: ServerContext,
): boolean {
  if (matchesNamespace === undefined) return true
  const {
    target: { namespace, name, subresource },
    operation,
    object,
  } = request
  if (isNamespaceObject(request) && subresource === undefined && (operation === 'CREATE' || operation === 'UPDATE'))
    return matchesNamespace(object?.metadata.labels ?? {})
  const within = isNamespaceObject(request) ? name : namespace
  if (within === undefined) return true
  const found = storage.get(namespaces, within)
  if (found === undefined) throw notFound(namespaces, within)
  return matchesNamespace(found.object.metadata.labels ?? {})
}
