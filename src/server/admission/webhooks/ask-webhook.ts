// One question to one webhook, with what its failure policy makes of a fault and what a client is told
// when it refuses. Source: apiserver pkg/admission/plugin/webhook/errors, .../webhook/{mutating,validating}.
import { ApiError, internalError, type Status } from '../../../api/api-error.ts'
import type { KindDefinition } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { AdmissionRequest, ServerContext } from '../../server-context.ts'
import { WebhookFault } from '../../webhooks/webhook-caller.ts'
import { answerOf, reviewOf, type ReviewAnswer } from './admission-review.ts'
import type { Invocation } from './invocation.ts'

/** undefined: the webhook failed, and that is to be overlooked. @throws ApiError when it refuses, or failed */
export async function askWebhook(
  invocation: Invocation,
  request: AdmissionRequest,
  context: ServerContext,
  mutating: boolean,
): Promise<ReviewAnswer | undefined> {
  const { webhook, kind } = invocation
  const uid = context.random.uuid()
  try {
    const [object, old] = [request.object, request.old].map(one => one && converted(one, request.target.kind, kind))
    const review = reviewOf(invocation, request, uid, object, old)
    const answer = answerOf(await called(invocation, review, context), invocation, uid, mutating)
    request.caller.warnings.push(...answer.warnings)
    for (const [key, value] of answer.annotations) request.caller.annotate?.(`${webhook.name}/${key}`, value)
    if (answer.allowed) return answer
    throw refusal(webhook.name, answer.status)
  } catch (error) {
    if (!(error instanceof WebhookFault)) throw error
    const text = `failed calling webhook ${JSON.stringify(webhook.name)}: ${error.message}`
    context.logger.warn(webhook.failsOpen ? 'webhook failed, which is overlooked' : 'webhook failed', {
      webhook: webhook.name,
      error: error.message,
    })
    if (webhook.failsOpen) return undefined
    throw internalError(text)
  }
}

async function called({ webhook }: Invocation, review: object, { webhooks }: ServerContext): Promise<unknown> {
  try {
    return await webhooks.call(webhook.clientConfig, review, { timeoutMs: webhook.timeoutMs, announcesTimeout: true })
  } catch (error) {
    throw error instanceof WebhookFault
      ? new WebhookFault(`failed to call webhook: ${error.message}`, error.unreached)
      : error
  }
}

/** The object in the form of another version of its kind. */
export function converted(object: KubeObject, from: KindDefinition, to: KindDefinition): KubeObject {
  if (from === to) return object
  const stored = from.storage?.toStorage(object) ?? object
  return to.storage?.fromStorage(stored) ?? stored
}

function refusal(name: string, { code = 0, reason, message, details }: Partial<Status>): ApiError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = message || reason
  return new ApiError(
    Number.isInteger(code) && code >= 400 && code <= 599 ? code : 400,
    reason ?? '',
    why ? `${denied}: ${why}` : `${denied} without explanation`,
    details,
  )
}
