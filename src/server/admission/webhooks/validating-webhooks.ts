// ValidatingAdmissionWebhook: everybody who wants to be asked is asked at once; the first refusal, in
// their order, is what the client is told.
import { validatingWebhookConfigurations } from '../../../api/resources.ts'
import type { AdmissionPlugin } from '../../server-context.ts'
import type { ObjectStorage } from '../../storage/object-storage.ts'
import { askWebhook } from './ask-webhook.ts'
import { webhooksIn } from './compiled-webhooks.ts'
import { meetsConditions } from './conditions.ts'
import { invocationOf, isExempt } from './invocation.ts'

export function validatingWebhooks(storage: ObjectStorage): AdmissionPlugin {
  const current = webhooksIn(storage, validatingWebhookConfigurations)
  return {
    name: 'ValidatingAdmissionWebhook',
    validate(request, context) {
      const webhooks = current()
      if (webhooks.length === 0 || isExempt(request)) return undefined
      const invocations = webhooks
        .map(webhook => invocationOf(webhook, request, context))
        .filter(invocation => invocation !== undefined)
      if (invocations.length === 0) return undefined
      return Promise.allSettled(
        invocations.map(async invocation => {
          if (await meetsConditions(invocation, request, context)) await askWebhook(invocation, request, context, false)
        }),
      ).then(results => {
        const refused = results.find(result => result.status === 'rejected')
        if (refused !== undefined) throw refused.reason
        return undefined
      })
    },
  }
}
