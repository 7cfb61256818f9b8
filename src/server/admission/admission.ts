// Plug-ins that look at every write after defaulting and before validation. They run in the order of
// shared lists (`plugins.ts`): first all `mutate`, which may change the draft, then all `validate`.
import type { AdmissionRequest, ServerContext } from '../server-context.ts'

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
