// The match conditions of webhooks. CEL is loaded when the first webhook has some.
import { forbidden } from '../../../api/api-error.ts'
import type { AdmissionRequest, ServerContext } from '../../server-context.ts'
import type { CompiledMatchConditions } from '../match-conditions.ts'
import type { CompiledWebhook } from './compiled-webhooks.ts'
import type { Invocation } from './invocation.ts'

const known = new WeakMap<CompiledWebhook, CompiledMatchConditions>()

/** Whether the webhook wants to be asked. @throws ApiError Forbidden when that cannot be told, and its failures count */
export async function meetsConditions(
  { webhook, kind }: Invocation,
  request: AdmissionRequest,
  context: ServerContext,
): Promise<boolean> {
  if (webhook.matchConditions.length === 0) return true
  const [{ compileMatchConditions }, { admissionVariables }] = await Promise.all([
    import('../match-conditions.ts'),
    import('../admission-values.ts'),
  ])
  let conditions = known.get(webhook)
  if (conditions === undefined)
    known.set(
      webhook,
      (conditions = compileMatchConditions(webhook.matchConditions, {
        hasParams: false,
        failurePolicy: webhook.failsOpen ? 'Ignore' : 'Fail',
      })),
    )
  const { matches, error } = conditions.evaluate(admissionVariables(request, kind, context))
  if (error !== undefined)
    throw forbidden(request.target.kind.resource, request.object?.metadata?.name ?? request.target.name, error)
  return matches
}
