// Watches a new version that gets some of the requests: its instances may not be started again too often, their share
// stays what it is to be, and at the end a command and queries of Prometheus have their say.
import type { Observation, ObservedWorkload } from '../engine/engine.ts'
import { pause } from '../engine/pause.ts'
import { StepFailure, type StepContext, type StepHandler } from '../execution/step-handler.ts'
import { instancesNow } from '../plan/share-of.ts'
import type { AnalyseStep } from '../plan/step.ts'
import { mustSucceed } from './run.ts'

const lookEverySeconds = 2

export const analyse: StepHandler<AnalyseStep> = {
  async do(step, context) {
    const { clock } = context.world
    const endMs = clock.now() + step.seconds * 1000
    for (;;) {
      const seen = await context.world.engine.observe(context.world.place)
      const canary = lookAtInstances(step, seen)
      await keepShare(step, canary, seen, context)
      const leftMs = endMs - clock.now()
      if (leftMs <= 0) break
      context.watch.progress(`watching the new version: ${Math.ceil(leftMs / 1000)} s left`)
      await pause(clock, Math.min(leftMs, lookEverySeconds * 1000), context.watch.signal)
      context.watch.signal.throwIfAborted()
    }
    if (step.run !== undefined) await mustSucceed(step.run, step.title, context)
    await askPrometheus(step, context)
  },
  async undo(step, { world: { engine, place } }) {
    if (step.run !== undefined) await engine.forgetRun(place, step.run.name)
  },
}

function lookAtInstances(step: AnalyseStep, { workloads }: Observation): ObservedWorkload {
  const canary = workloads.find(({ name }) => name === step.workload)
  if (canary === undefined) throw new StepFailure(`${step.workload} is gone; somebody deleted it`)
  for (const { name, restarts, ready, state } of canary.instances)
    if (restarts > step.maxRestarts)
      throw new StepFailure(
        `${name} was started again ${restarts} times, at most ${step.maxRestarts} are allowed; it is ${ready ? 'ready' : state}`,
      )
  return canary
}

/** An autoscaler may have changed how many there are beside it: it keeps its number, and the new version its share. */
async function keepShare(
  { share, workload }: AnalyseStep,
  canary: ObservedWorkload,
  seen: Observation,
  { world: { engine, place }, watch }: StepContext,
): Promise<void> {
  const instances = share && instancesNow(share, seen)
  if (instances === undefined || instances === canary.wanted || canary.autoscaled) return
  const verdict = await engine.scale(place, workload, instances, watch)
  if (verdict.state === 'failed') throw new StepFailure(verdict.reason, verdict.lastWords)
}

async function askPrometheus({ queries }: AnalyseStep, { world }: StepContext): Promise<void> {
  if (queries.length === 0) return
  if (world.query === undefined)
    return world.report.note('no Prometheus is known for this environment, so its queries were not asked')
  for (const { name, query, maximum } of queries) {
    const value = await world.query(query)
    if (value === undefined) world.report.note(`Prometheus has no value for "${name}"`)
    else if (value > maximum) throw new StepFailure(`"${name}" is ${value}, at most ${maximum} is allowed`)
  }
}
