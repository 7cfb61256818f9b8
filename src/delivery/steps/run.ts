// A check: a process of the new version that has to end with 0. It changes nothing that would have to be taken back.
import type { RunResult } from '../engine/engine.ts'
import type { Run } from '../engine/parts.ts'
import { StepFailure, type StepContext, type StepHandler } from '../execution/step-handler.ts'
import type { RunStep } from '../plan/step.ts'

export const run: StepHandler<RunStep> = {
  async do(step, context) {
    await mustSucceed(step.run, step.title, context)
  },
  async undo(step, { world: { engine, place } }) {
    await engine.forgetRun(place, step.run.name)
  },
}

/** @throws StepFailure with the run's last lines when it ends with another code than 0 */
export async function mustSucceed(
  wanted: Run,
  title: string,
  { world: { engine, place }, watch }: StepContext,
): Promise<RunResult> {
  const result = await engine.runOnce(place, wanted, { ...watch, timeLimitSeconds: wanted.timeLimitSeconds })
  if (result.exitCode === 0) return result
  throw new StepFailure(
    `${title}: ${result.reason ?? `it ended with exit code ${result.exitCode}`}`,
    result.lines.length === 0 ? ['it wrote nothing'] : ['its last lines:', ...result.lines.map(line => `  | ${line}`)],
  )
}
