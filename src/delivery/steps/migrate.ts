// Changes the schema, once for each release, whoever finishes it: a run has the name of its release. Taking it back
// asks first whether anything was changed: where the manifest says how the version of the schema is told by that
// version, else by how `up` ended, which is to be all or nothing.
import type { RunResult } from '../engine/engine.ts'
import type { Run } from '../engine/parts.ts'
import { StepFailure, type StepContext, type StepHandler } from '../execution/step-handler.ts'
import { towards, type MigrateNote, type MigrateStep } from '../plan/step.ts'
import { mustSucceed } from './run.ts'

export const migrate: StepHandler<MigrateStep> = {
  async do(step, context) {
    const before = step.version === undefined ? undefined : await versionBy(step.version.before, context)
    await mustSucceed(step.forward, step.title, context)
    if (step.version === undefined || before === undefined) return
    const after = await versionBy(step.version.after, context)
    await context.keepNote({ before, after } satisfies MigrateNote)
  },
  async undo(step, context) {
    const { engine, place } = context.world
    const result = await engine.resultOf(place, step.forward.name, context.watch)
    if (result === undefined) return
    if (step.version === undefined) await undoBySuccess(step, result, context)
    else await undoByVersion(step, step.version, context)
  },
}

async function undoBySuccess(step: MigrateStep, { exitCode }: RunResult, context: StepContext): Promise<void> {
  if (exitCode !== 0) return
  if (step.back === undefined) return tellThatItStays(step, context)
  await again(step.back, `taking back "${step.title}"`, context)
}

async function undoByVersion(
  step: MigrateStep,
  { before, undoing, undone }: NonNullable<MigrateStep['version']>,
  context: StepContext,
): Promise<void> {
  const goal = await versionBy(before, context)
  if ((await versionBy(undoing, context)) === goal) return
  if (step.back === undefined) return tellThatItStays(step, context)
  await again(towards(step.back, goal), `taking back "${step.title}"`, context)
  const reached = await versionBy(undone, context)
  if (reached !== goal)
    throw new StepFailure(`the schema was to go back to version ${goal}, but is at ${reached}; mend it by hand`)
}

/** An attempt that failed is made once more; one that succeeded is not. */
async function again(run: Run, title: string, context: StepContext): Promise<void> {
  const { engine, place } = context.world
  const earlier = await engine.resultOf(place, run.name, context.watch)
  if (earlier !== undefined && earlier.exitCode !== 0) await engine.forgetRun(place, run.name)
  await mustSucceed(run, title, context)
}

async function versionBy(run: Run, context: StepContext): Promise<string> {
  const { lines } = await mustSucceed(
    run,
    `asking for the version of the schema (${run.process.command.join(' ')})`,
    context,
  )
  const version = lines.at(-1)?.trim() ?? ''
  if (version === '')
    throw new StepFailure(
      `"${run.process.command.join(' ')}" was to print the version of the schema and printed nothing`,
    )
  return version
}

function tellThatItStays({ title }: MigrateStep, { world }: StepContext): void {
  world.report.note(`the schema stays as "${title}" left it: nothing is said that takes it back (migrate.down)`)
}
