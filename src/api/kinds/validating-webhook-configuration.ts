// ValidatingWebhookConfiguration: who is asked before a write.
import { defineKind } from '../kind.ts'
import { validatingWebhookConfigurations } from '../resources.ts'
import { defaultWebhook, validateWebhooks } from '../validation/webhooks.ts'
import { age, columns } from './cells.ts'

export const validatingWebhookConfigurationKind = defineKind({
  resource: validatingWebhookConfigurations,
  model: 'V1ValidatingWebhookConfiguration',
  singular: 'validatingwebhookconfiguration',
  categories: ['api-extensions'],
  generation: true,
  defaults(draft) {
    for (const webhook of draft.webhooks ?? []) defaultWebhook(webhook)
  },
  validate: ({ webhooks }) => validateWebhooks(webhooks),
  columns: columns('Name', 'Webhooks:integer', 'Age'),
  row: (configuration, nowMs) => [
    configuration.metadata.name,
    configuration.webhooks?.length ?? 0,
    age(configuration, nowMs),
  ],
})
