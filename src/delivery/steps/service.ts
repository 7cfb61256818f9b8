// Makes sure that a service has what it needs on a backing service. What was made by a release that fails is dropped
// again, and only that: whether there was anything is noted before.
import type { ServiceNeed, ServiceStep } from '../plan/step.ts'
import { ServiceFailure, type BackingService, type Reached, type Wanted } from '../services/backing-service.ts'
import { withServer } from '../services/with-server.ts'
import { StepFailure, type StepContext, type StepHandler } from '../execution/step-handler.ts'

interface Note {
  /** There was nothing of it before. */
  readonly fresh: boolean
}

export const service: StepHandler<ServiceStep> = {
  async do({ need }, context) {
    await reaching(need, context, async (backing, server, wanted) => {
      if (context.note === undefined)
        await context.keepNote({ fresh: !(await backing.exists(server, wanted)) } satisfies Note)
      const { report } = context.world
      for (const made of await backing.ensure(server, wanted, text => report.note(text))) report.note(`made ${made}`)
    })
  },
  async undo({ need }, context) {
    if ((context.note as Note | undefined)?.fresh !== true) return
    await reaching(need, context, async (backing, server, wanted) => {
      await backing.drop(server, wanted)
    })
  },
}

async function reaching(
  need: ServiceNeed,
  { world }: StepContext,
  work: (backing: BackingService, server: Reached, wanted: Wanted) => Promise<void>,
): Promise<void> {
  try {
    await withServer(need, world, work)
  } catch (error) {
    throw error instanceof ServiceFailure ? new StepFailure(error.message) : error
  }
}
