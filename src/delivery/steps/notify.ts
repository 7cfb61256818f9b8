// Tells a hook that a release runs, and that it was taken back if it had been told.
import { StepFailure, type StepContext, type StepHandler } from '../execution/step-handler.ts'
import type { NotifyStep } from '../plan/step.ts'

export const notify: StepHandler<NotifyStep> = {
  async do({ hook }, context) {
    await tell(hook, 'deployed', context)
    await context.keepNote({ told: true })
  },
  async undo({ hook }, context) {
    if (!(context.note as { told?: boolean } | undefined)?.told) return
    // A hook that does not answer must not keep anything else from being taken back.
    await tell(hook, 'undone', context).catch((error: unknown) => context.world.report.note((error as Error).message))
  },
}

async function tell(hook: string, event: 'deployed' | 'undone', { world }: StepContext): Promise<void> {
  const { service, environment } = world.place
  const { version, revision, by } = world.release
  try {
    await world.tell(hook, { event, service, environment, version, revision, by })
  } catch (error) {
    throw new StepFailure(`the hook "${hook}" could not be told: ${(error as Error).message}`)
  }
}
