// MutatingWebhookConfiguration: who is asked before a write, and may change it.
import { defineKind } from '../kind.ts'
import { mutatingWebhookConfigurations } from '../resources.ts'
import { defaultWebhook, validateWebhooks } from '../validation/webhooks.ts'
import { age, columns } from './cells.ts'

export const mutatingWebhookConfigurationKind = defineKind({
  resource: mutatingWebhookConfigurations,
  model: 'V1MutatingWebhookConfiguration',
  singular: 'mutatingwebhookconfiguration',
  categories: ['api-extensions'],
  generation: true,
  defaults(draft) {
    for (const webhook of draft.webhooks ?? []) {
      defaultWebhook(webhook)
      webhook.reinvocationPolicy ??= 'Never'
    }
  },
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  columns: columns('Name', 'Webhooks:integer', 'Age'),
  row: (configuration, nowMs) => [
    configuration.metadata.name,
    configuration.webhooks?.length ?? 0,
    age(configuration, nowMs),
  ],
})
