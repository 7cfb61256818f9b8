// Takes everything of a service away, in the order of its plan (plan/plan-deletion.ts). Under the service's lease, and
// each step can be done again: a process that was killed in the middle is finished by whoever gives the command again.
import { DeployError } from './deploy-error.ts'
import { delivering, type DeliveryOptions } from './delivering.ts'
import type { Engine } from './engine/engine.ts'
import type { Place } from './engine/parts.ts'
import { situationOf, type Situation } from './history.ts'
import { backingServiceTypes } from './manifest/manifest.ts'
import { planDeletion, type DeletionStep } from './plan/plan-deletion.ts'
import { withServer } from './services/with-server.ts'

export interface Deleted {
  /** There was something of the service. */
  readonly removed: boolean
  /** Workloads whose data stays. */
  readonly kept: readonly string[]
}

export async function deleteService(place: Place, withData: boolean, options: DeliveryOptions): Promise<Deleted> {
  const { engine, report } = options
  const kept = (holders: readonly string[]): readonly string[] => (withData ? [] : holders)
  // Where there is nothing, there may be no room for a lease either.
  const seen = await deletionOf(place, withData, await situationOf(engine, place), engine)
  if (seen.steps.length === 0) return { removed: false, kept: kept(seen.holders) }
  return delivering(place, options, async delivery => {
    const { steps, holders } = await deletionOf(place, withData, delivery.situation, engine)
    const signal = AbortSignal.any([options.signal, delivery.lost])
    try {
      for (const step of steps) {
        signal.throwIfAborted()
        if (step.kind !== 'part' || step.seen) report.waiting(titleOf(step))
        if (await take(step, place, { ...options, signal })) report.step(titleOf(step))
      }
    } catch (error) {
      throw signal.aborted ? stopped(place, withData, signal.reason as Error) : error
    }
    return { removed: steps.length > 0, kept: kept(holders) }
  })
}

const stopped = ({ environment, service }: Place, withData: boolean, why: Error): DeployError =>
  new DeployError(
    `${why.message}; some of "${service}" may be gone by now; to take the rest away: sampan delete -e ${environment} ${service}${withData ? ' --with-data' : ''}`,
  )

async function deletionOf(
  place: Place,
  withData: boolean,
  { releases }: Situation,
  engine: Engine,
): Promise<{ readonly steps: readonly DeletionStep[]; readonly holders: readonly string[] }> {
  const recorded = releases.map(({ content }) => content)
  const [observed, bundles, holders] = await Promise.all([
    engine.observe(place),
    engine.bundles(place),
    dataHolders(place, releases, engine),
  ])
  return { steps: planDeletion({ releases: recorded, observed, bundles, holders, withData }), holders }
}

/** Those that releases name, and those of a service whose releases are gone already. */
async function dataHolders(place: Place, releases: Situation['releases'], engine: Engine): Promise<string[]> {
  const named = releases
    .flatMap(({ content }) => content.needs)
    .flatMap(({ server }) => (server.kind === 'managed' ? [server.workload] : []))
  const usual = backingServiceTypes.map(type => `${place.service}-${type}`)
  const candidates = [...new Set([...named, ...usual])]
  const held = await Promise.all(candidates.map(name => engine.holdsData(place, name)))
  return candidates.filter((_name, index) => held[index])
}

/** @returns whether something that people know of is gone */
async function take(
  step: DeletionStep,
  place: Place,
  { engine, service, report, signal }: DeliveryOptions,
): Promise<boolean> {
  switch (step.kind) {
    case 'run':
      await engine.forgetRun(place, step.name)
      return false
    case 'part':
      await engine.remove(
        place,
        step.part,
        { progress: text => report.waiting(text), signal },
        { withData: step.withData },
      )
      return step.seen
    case 'drop': {
      const dropped: string[] = []
      await withServer(step.need, { engine, place, service }, async (backing, server, wanted) => {
        for (const gone of await backing.drop(server, wanted)) dropped.push(`${gone} of ${backing.title}`)
      })
      for (const gone of dropped) report.note(`dropped ${gone}`)
      return dropped.length > 0
    }
    case 'release':
      await engine.ledger.remove(place, step.revision)
      return false
    case 'bundle':
      await engine.dropBundle(place, step.name)
      return false
  }
}

function titleOf(step: DeletionStep): string {
  switch (step.kind) {
    case 'run':
      return `forget the run ${step.name}`
    case 'part':
      return `remove ${step.part.kind} ${step.part.name}${step.withData ? ' with its data' : ''}`
    case 'drop':
      return `drop ${step.need.database} on the ${step.need.type} server`
    case 'release':
      return `forget release ${step.revision}`
    case 'bundle':
      return `drop ${step.name}`
  }
}
