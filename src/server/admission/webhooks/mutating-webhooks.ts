// MutatingAdmissionWebhook: one after the other may change the object by a JSON patch. What comes back is
// decoded, pruned and defaulted as if the client had sent it. After a change all mutating plug-ins run a
// second time, and with them the earlier webhooks whose reinvocationPolicy is IfNeeded.
// Source: apiserver pkg/admission/plugin/webhook/mutating.
import { internalError } from '../../../api/api-error.ts'
import { decodeObject } from '../../../api/decode.ts'
import type { KindDefinition } from '../../../api/kind.ts'
import type { KubeObject } from '../../../api/object.ts'
import { applyJsonPatch } from '../../../api/patch/json-patch.ts'
import { deepEqual, isObject } from '../../../api/patch/json-value.ts'
import { mutatingWebhookConfigurations } from '../../../api/resources.ts'
import { draftOf } from '../../operations/finish-object.ts'
import type { Caller } from '../../request.ts'
import type { AdmissionPlugin, AdmissionRequest, MutationRounds, ServerContext } from '../../server-context.ts'
import type { ObjectStorage } from '../../storage/object-storage.ts'
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
      if (round === undefined) firstRounds.set(request, (round = { asked: new Set(), due: new Set(), output: undefined }))
      return askAll(webhooks, request, context, rounds, round)
    },
  }
}

async function askAll(webhooks: readonly CompiledWebhook[], request: AdmissionRequest, context: ServerContext, rounds: MutationRounds, round: FirstRound): Promise<void> {
  const repeat = (): void => {
    for (const id of round.asked) round.due.add(id)
    round.asked.clear()
  }
  if (rounds.second && !deepEqual(round.output, request.object)) repeat()
  for (const webhook of webhooks) {
    if (rounds.second && !round.due.has(webhook.id)) continue
    const invocation = invocationOf(webhook, request, context)
    if (invocation === undefined || !await meetsConditions(invocation, request, context)) continue
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
  if (object === undefined) throw internalError(`admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`)
  const before = structuredClone(object)
  replaceContent(object, patched(kind, request, object, patch))
  return !deepEqual(object, before)
}

/** A patch that does not fit, or makes something else of the object, is a fault of the webhook. */
function patched(kind: KindDefinition, { target, caller, model }: AdmissionRequest, object: KubeObject, patch: unknown): KubeObject {
  try {
    const after = applyJsonPatch(converted(object, target.kind, kind), patch)
    if (!isObject(after)) throw new Error('the patch leaves no object')
    const back = converted(after as unknown as KubeObject, kind, target.kind)
    if (model !== undefined) return decodeObject(model, back).object as unknown as KubeObject
    return object.kind === target.kind.resource.kind ? decoded(target.kind, back, caller) : back
  } catch (error) {
    throw internalError((error as Error).message)
  }
}

/** As if the client had sent it. */
function decoded(kind: KindDefinition, value: unknown, caller: Caller): KubeObject {
  const draft = draftOf(kind, value, { ...caller, fieldValidation: 'Ignore' })
  kind.defaults?.(draft)
  return draft
}

/** The draft belongs to the request: everybody who holds it sees the change. */
function replaceContent(object: KubeObject, content: KubeObject): void {
  for (const key of Object.keys(object)) delete (object as unknown as Record<string, unknown>)[key]
  Object.assign(object, content)
}
