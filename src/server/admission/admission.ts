// Plug-ins that look at every write after defaulting and before validation. They run in the order of
// shared lists (`plugins.ts`): first all `mutate`, which may change the draft, then all `validate`.
import type { KubeObject } from '../../api/object.ts'
import type { Caller, Target } from '../request.ts'
import type { AdmissionRequest, MutationRounds, ServerContext } from '../server-context.ts'

export async function mutateByAdmission(request: AdmissionRequest, context: ServerContext): Promise<void> {
  const first = { second: false, wantsSecond: false }
  await mutateOnce(request, context, first)
  if (first.wantsSecond) await mutateOnce(request, context, { second: true, wantsSecond: false })
}

async function mutateOnce(request: AdmissionRequest, context: ServerContext, rounds: MutationRounds): Promise<void> {
  for (const plugin of context.admission) {
    const pending = plugin.mutate?.(request, context, rounds)
    if (pending !== undefined) await pending
  }
}

export interface PostedOptions<T> {
  /** Without one, what admission makes of the object is taken as it is. */
  readonly model?: string
  /** Called between the plug-ins that change and those that judge. */
  readonly check?: (posted: T) => void
}

/**
 * What is posted to a subresource, and what opens a connection, is admitted as an object of its own.
 * @param posted belongs to the request, and may be changed
 * @returns it as admission left it
 */
export async function admitPosted<T extends object>(
  context: ServerContext,
  operation: 'CREATE' | 'CONNECT',
  target: Target,
  posted: T,
  caller: Caller,
  { model, check }: PostedOptions<T> = {},
): Promise<T> {
  const request: AdmissionRequest = {
    operation,
    target,
    caller,
    object: posted as unknown as KubeObject,
    old: undefined,
    ...(model !== undefined && { model }),
  }
  await mutateByAdmission(request, context)
  check?.(request.object as unknown as T)
  await validateByAdmission(request, context)
  return request.object as unknown as T
}

export async function validateByAdmission(request: AdmissionRequest, context: ServerContext): Promise<void> {
  for (const plugin of context.admission) {
    const pending = plugin.validate?.(request, context)
    if (pending !== undefined) await pending
  }
}

export const isPlainResource = ({ target }: AdmissionRequest, group: string, plural: string): boolean =>
  target.kind.resource.group === group && target.kind.resource.plural === plural && target.subresource === undefined
