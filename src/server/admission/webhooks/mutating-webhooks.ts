// MutatingAdmissionWebhook: one after the other may change the object by a JSON patch. What comes back is
// decoded, pruned and defaulted as if the client had sent it. After a change all mutating plug-ins run a
// second time, and with them the earlier webhooks whose reinvocationPolicy is IfNeeded.
// Source: apiserver pkg/admission/plugin/webhook/mutating.
import { internalError } from '../../../api/api-error.ts'
import type { KindDefinition } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/object.ts'
import { applyJsonPatch } from '../../../api/patch/json-patch.ts'
import { deepEqual, isObject } from '../../../api/patch/json-value.ts'
import { mutatingWebhookConfigurations } from '../../../api/resources.ts'
import type { AdmissionPlugin, AdmissionRequest, MutationRounds, ServerContext } from '../../server-context.ts'
import type { ObjectStorage } from '../../storage/object-storage.ts'
import { replaceContent } from '../replace-content.ts'
import { askWebhook, converted } from './ask-webhook.ts'
import { webhooksIn, type CompiledWebhook } from './compiled-webhooks.ts'
import { meetsConditions } from './conditions.ts'
import { invocationOf, isExempt, type Invocation } from './invocation.ts'

/** What the first round of a request leaves for the second. */
interface FirstRound {
  /** Asked so far and willing to be asked again. */
  readonly asked: Set<string>
  /** To be asked again. */
  readonly due: Set<string>
  /** The object as the webhooks left it. */
  output: KubeObject | undefined
}

export function mutatingWebhooks(storage: ObjectStorage): AdmissionPlugin {
  const current = webhooksIn(storage, mutatingWebhookConfigurations)
  const firstRounds = new WeakMap<AdmissionRequest, FirstRound>()
  return {
    name: 'MutatingAdmissionWebhook',
    mutate(request, context, rounds) {
      const webhooks = current()
      if (webhooks.length === 0 || isExempt(request)) return undefined
      let round = firstRounds.get(request)
      if (round === undefined)
        firstRounds.set(request, (round = { asked: new Set(), due: new Set(), output: undefined }))
      return askAll(webhooks, request, context, rounds, round)
    },
  }
}

async function askAll(
  webhooks: readonly CompiledWebhook[],
  request: AdmissionRequest,
  context: ServerContext,
  rounds: MutationRounds,
  round: FirstRound,
): Promise<void> {
  const repeat = (): void => {
    for (const id of round.asked) round.due.add(id)
    round.asked.clear()
  }
  if (rounds.second && !deepEqual(round.output, request.object)) repeat()
  for (const webhook of webhooks) {
    if (rounds.second && !round.due.has(webhook.id)) continue
    const invocation = invocationOf(webhook, request, context)
    if (invocation === undefined || !(await meetsConditions(invocation, request, context))) continue
    const answer = await askWebhook(invocation, request, context, true)
    if (answer?.patch !== undefined && change(invocation, request, answer.patch)) {
      repeat()
      rounds.wantsSecond = true
    }
    if (webhook.reinvoked) round.asked.add(webhook.id)
  }
  if (rounds.wantsSecond) round.output = structuredClone(request.object)
}

/** @returns whether the object is another now */
function change({ webhook, kind }: Invocation, request: AdmissionRequest, patch: unknown): boolean {
  const { object } = request
  if (Array.isArray(patch) && patch.length === 0) return false
  if (object === undefined)
    throw internalError(
      `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    )
  const before = structuredClone(object)
  replaceBy(patch, kind, request, object)
  return !deepEqual(object, before)
}

/** A patch that does not fit, or makes something else of the object, is a fault of the webhook. */
function replaceBy(patch: unknown, kind: KindDefinition, request: AdmissionRequest, object: KubeObject): void {
  try {
    const after = applyJsonPatch(converted(object, request.target.kind, kind), patch)
    if (!isObject(after)) throw new Error('the patch leaves no object')
    replaceContent(request, converted(after as unknown as KubeObject, kind, request.target.kind))
  } catch (error) {
    throw internalError((error as Error).message)
  }
}
