// Plug-ins that look at every write after defaulting and before validation. They run in the order of
// shared lists (`plugins.ts`): first all `mutate`, which may change the draft, then all `validate`.
import type { KubeObject } from '../../api/object.ts'
import type { Caller, Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE'

export interface AdmissionRequest {
  readonly operation: AdmissionOperation
  readonly target: Target
  readonly caller: Caller
  /** The draft; undefined for DELETE. */
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
}

export interface AdmissionPlugin {
  readonly name: string
  mutate?(request: AdmissionRequest, context: ServerContext): void | Promise<void>
  validate?(request: AdmissionRequest, context: ServerContext): void | Promise<void>
}

export async function mutateByAdmission(request: AdmissionRequest, context: ServerContext): Promise<void> {
  for (const plugin of context.admission) {
    const pending = plugin.mutate?.(request, context)
    if (pending !== undefined) await pending
  }
}

export async function validateByAdmission(request: AdmissionRequest, context: ServerContext): Promise<void> {
  for (const plugin of context.admission) {
    const pending = plugin.validate?.(request, context)
    if (pending !== undefined) await pending
  }
}

export const isPlainResource = ({ target }: AdmissionRequest, group: string, plural: string): boolean =>
  target.kind.resource.group === group && target.kind.resource.plural === plural && target.subresource === undefined
