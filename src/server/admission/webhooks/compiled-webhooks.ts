// The webhooks of all configurations of one kind, in the order in which they are asked: by the name of the
// configuration, then as it lists them. Made again after a configuration changed, not for each request.
import type {
  LabelSelector,
  MatchCondition,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../../../api/generated/models.ts'
import type { Resource } from '../../../api/resource.ts'
import { isEmptySelector, matchesSelector, type Labels } from '../../../api/label-selector.ts'
import type { ObjectStorage } from '../../storage/object-storage.ts'
import type { WebhookClientConfig } from '../../webhooks/webhook-caller.ts'

export interface CompiledWebhook {
  /** Unique among all; stays the same while the configuration does. */
  readonly id: string
  readonly name: string
  readonly rules: readonly RuleWithOperations[]
  readonly equivalent: boolean
  readonly failsOpen: boolean
  readonly timeoutMs: number
  readonly reviewVersion: 'v1' | 'v1beta1'
  readonly reinvoked: boolean
  readonly clientConfig: WebhookClientConfig
  readonly matchConditions: readonly MatchCondition[]
  /** undefined: everything matches. */
  readonly matchesNamespace: ((labels: Labels) => boolean) | undefined
  readonly matchesObject: ((labels: Labels) => boolean) | undefined
}

type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration

/** The current webhooks of this kind of configuration. */
export function webhooksIn(storage: ObjectStorage, resource: Resource): () => readonly CompiledWebhook[] {
  let compiled: readonly CompiledWebhook[] | undefined
  const cache = storage.cache(resource)
  cache.subscribe(() => {
    compiled = undefined
  })
  return () => (compiled ??= cache.list().flatMap(({ object }) => compile(object as Configuration)))
}

function compile({ metadata, webhooks = [] }: Configuration): CompiledWebhook[] {
  return (webhooks as readonly (MutatingWebhook | ValidatingWebhook)[]).map(webhook => ({
    id: `${metadata.name}/${metadata.uid}/${webhook.name}`,
    name: webhook.name,
    rules: webhook.rules ?? [],
    equivalent: webhook.matchPolicy !== 'Exact',
    failsOpen: webhook.failurePolicy === 'Ignore',
    timeoutMs: (webhook.timeoutSeconds ?? 10) * 1000,
    reviewVersion: webhook.admissionReviewVersions.find(version => version === 'v1' || version === 'v1beta1') ?? 'v1',
    reinvoked: 'reinvocationPolicy' in webhook && webhook.reinvocationPolicy === 'IfNeeded',
    clientConfig: webhook.clientConfig,
    matchConditions: webhook.matchConditions ?? [],
    matchesNamespace: selects(webhook.namespaceSelector),
    matchesObject: selects(webhook.objectSelector),
  }))
}

function selects(selector: LabelSelector | undefined): ((labels: Labels) => boolean) | undefined {
  return isEmptySelector(selector) ? undefined : labels => matchesSelector(selector, labels)
}
