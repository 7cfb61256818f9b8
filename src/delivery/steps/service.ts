// Makes sure that a service has what it needs on a backing service. What was made by a release that fails is dropped
// again, and only that: whether there was anything is noted before.
import { DeployError } from '../deploy-error.ts'
import { entryOf } from '../plan/bundles.ts'
import type { ServiceNeed, ServiceStep } from '../plan/step.ts'
import type { BackingService, Credentials, Reached, Wanted } from '../services/backing-service.ts'
import { StepFailure, type StepContext, type StepHandler } from '../execution/step-handler.ts'

interface Note {
  /** There was nothing of it before. */
  readonly fresh: boolean
}

/** A server that is ready may still be setting itself up. */
const startSeconds = 60

export const service: StepHandler<ServiceStep> = {
  async do({ need }, context) {
    await withServer(need, context, async (backing, server, wanted) => {
      if (context.note === undefined)
        await context.keepNote({ fresh: !(await backing.exists(server, wanted)) } satisfies Note)
      const { report } = context.world
      for (const made of await backing.ensure(server, wanted, report.note)) report.note(`made ${made}`)
    })
  },
  async undo({ need }, context) {
    if ((context.note as Note | undefined)?.fresh !== true) return
    await withServer(need, context, async (backing, server, wanted) => {
      await backing.drop(server, wanted)
    })
  },
}

async function withServer(
  need: ServiceNeed,
  context: StepContext,
  work: (backing: BackingService, server: Reached, wanted: Wanted) => Promise<void>,
): Promise<void> {
  const { engine, place, service: load } = context.world
  const { server, database, owner } = need
  const [backing, administrator, credentials] = await Promise.all([
    load(need.type),
    credentialsIn(need.administrator, context),
    credentialsIn(need.credentials, context),
  ])
  const way =
    server.kind === 'managed'
      ? await engine.reach(place, { workload: server.workload, port: server.asked })
      : { host: server.host, port: server.asked, close: () => {} }
  const reached: Reached = {
    host: way.host,
    port: way.port,
    administrator,
    ...(server.kind === 'external'
      ? server.authority !== undefined && { authority: server.authority }
      : { waitSeconds: startSeconds }),
  }
  try {
    await work(backing, reached, { database, owner, credentials, exclusive: server.kind === 'managed' })
  } catch (error) {
    if ((error as Error).name !== 'ServiceFailure') throw error
    throw new StepFailure((error as Error).message)
  } finally {
    way.close()
  }
}

async function credentialsIn(bundleName: string, { world: { engine, place } }: StepContext): Promise<Credentials> {
  const bundle = await engine.readBundle(place, bundleName)
  const [user, password] = bundle === undefined ? [] : [entryOf(bundle, 'user'), entryOf(bundle, 'password')]
  if (user === undefined || password === undefined)
    throw new DeployError(`the credentials "${bundleName}" are gone; somebody deleted them`)
  return { user, password }
}
