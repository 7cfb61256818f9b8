// Restarts the instances that serve, or changes how many there are, until the next delivery says something else. Under
// the service's lease: two deliveries never run at once, and this is one.
import { DeployError } from './deploy-error.ts'
import { delivering, type DeliveryOptions } from './delivering.ts'
import type { Verdict, Watch } from './engine/engine.ts'
import type { Place } from './engine/parts.ts'
import { watchOf } from './execution/watch-of.ts'
import { withoutSecrets } from './execution/without-secrets.ts'
import { mustBeThere, servingRelease } from './serving-release.ts'

export interface Changed {
  readonly workload: string
  readonly version: string
  /** As the release has it. */
  readonly instances: number
}

export const restartService = (place: Place, options: DeliveryOptions): Promise<Changed> =>
  changing(place, options, 'restart', (workload, watch) => options.engine.restart(place, workload, watch))

export const scaleService = (place: Place, instances: number, options: DeliveryOptions): Promise<Changed> =>
  changing(place, options, `scale to ${instances}`, (workload, watch) =>
    options.engine.scale(place, workload, instances, watch),
  )

async function changing(
  place: Place,
  options: DeliveryOptions,
  what: string,
  change: (workload: string, watch: Watch) => Promise<Verdict>,
): Promise<Changed> {
  const { report, timeLimitSeconds } = options
  await mustBeThere(place, options.engine)
  return delivering(place, options, async ({ situation, lost }) => {
    const { pending } = situation
    if (pending !== undefined)
      throw new DeployError(
        `release ${pending.revision} of "${place.service}" was interrupted half-way; go on with it or take it back first: sampan deploy -e ${place.environment} ${place.service} --resume, or sampan rollback -e ${place.environment} ${place.service}`,
      )
    const { release, workload } = servingRelease(place, situation)
    const signal = AbortSignal.any([options.signal, lost])
    const watch = watchOf(report, timeLimitSeconds, signal)
    const verdict = await settled(change(workload.name, watch), signal, place, what)
    if (verdict.state === 'failed') {
      const words = await withoutSecrets(options.engine, place, release.bundles, verdict.lastWords)
      throw new DeployError([`${what} ${workload.name}: ${verdict.reason}`, ...words].join('\n'))
    }
    return { workload: workload.name, version: release.version, instances: workload.instances }
  })
}

/** What the engine was told stays told. */
async function settled(
  work: Promise<Verdict>,
  signal: AbortSignal,
  { environment, service }: Place,
  what: string,
): Promise<Verdict> {
  try {
    return await work
  } catch (error) {
    if (!signal.aborted) throw error
    throw new DeployError(
      `${(signal.reason as Error).message}; what was begun (${what}) goes on without anybody waiting: sampan ps -e ${environment} ${service}`,
    )
  }
}
