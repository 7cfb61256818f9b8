// Runs beside a service: a task of a schedule now instead of at its time, and a process of one's own in the environment
// of the release that runs, with its image, variables and files.
import { DeployError } from './deploy-error.ts'
import type { Engine, RunResult, Terminal, Watch } from './engine/engine.ts'
import type { Place, Run, Schedule } from './engine/parts.ts'
import { situationOf } from './history.ts'
import { suggestion } from './manifest/nearest-name.ts'
import type { Release } from './release.ts'
import { nothingRuns, servingRelease } from './serving-release.ts'

/** For those that have no limit of their own. */
const daySeconds = 86_400

export interface TaskRun {
  readonly task: string
  /** Tells runs of this task apart. */
  readonly mark: string
}

/** Ends the run when the signal of the watch fires. @throws DeployError also when it runs just now and is never to run twice at once */
export async function runTask(
  place: Place,
  { task, mark }: TaskRun,
  engine: Engine,
  watch: Omit<Watch, 'timeLimitSeconds'>,
): Promise<RunResult> {
  const [{ present }, observed] = await Promise.all([situationOf(engine, place), engine.observe(place)])
  const schedule = scheduleOf(place, present, task)
  const running = observed.schedules.find(({ name }) => name === schedule.name)?.running ?? 0
  if (running > 0 && !schedule.overlap)
    throw new DeployError(
      `"${task}" of "${place.service}" runs just now and is not to run twice at once; wait until it is done, or let it: overlap: true in app.yml`,
    )
  const name = `${schedule.name}-${mark}`
  try {
    const timeLimitSeconds = schedule.timeLimitSeconds ?? daySeconds
    return await engine.runSchedule(place, schedule.name, name, { ...watch, timeLimitSeconds })
  } catch (error) {
    if (watch.signal.aborted) await engine.forgetRun(place, name)
    throw error
  }
}

function scheduleOf(place: Place, present: Release | undefined, task: string): Schedule {
  if (present === undefined) throw new DeployError(nothingRuns(place))
  const schedules = present.parts.filter((part): part is Schedule => part.kind === 'schedule')
  const found = schedules.find(schedule => schedule.task === task)
  if (found !== undefined) return found
  throw new DeployError(
    `release ${present.revision} of "${place.service}" has no task "${task}"; ${suggestion(
      task,
      schedules.map(schedule => schedule.task),
    )}; for a command of your own: sampan run -e ${place.environment} ${place.service} -- ${task}`,
  )
}

/** @returns its exit code */
export async function runCommand(
  place: Place,
  { command, mark }: { readonly command: readonly string[]; readonly mark: string },
  engine: Engine,
  terminal: Terminal,
): Promise<number> {
  const { release, workload } = servingRelease(place, await situationOf(engine, place))
  const run: Run = {
    name: `${place.service}-run-${mark}`,
    service: place.service,
    version: release.version,
    process: { ...workload.process, command },
    timeLimitSeconds: daySeconds,
  }
  return engine.runAttached(place, run, terminal)
}
