// `sampan run -e ENVIRONMENT NAME TASK`: a task of a schedule now; `sampan run -e ENVIRONMENT NAME -- COMMAND...`: a
// process of one's own in the environment of the release that runs.
import { runCommand, runTask } from '../../delivery/run-task.ts'
import { placeOf } from '../environment-services.ts'
import { withTarget } from '../looking.ts'
import { CommandFailure, Output } from '../output.ts'
import { withOwnTerminal } from '../own-terminal.ts'
import { stopSignal, untilStopped } from '../stop-signal.ts'
import type { Target, TargetOptions } from '../target.ts'

export interface RunOptions extends TargetOptions {
  readonly file?: string
}

export async function run(
  service: string,
  { before, command }: { readonly before: readonly string[]; readonly command: readonly string[] },
  options: RunOptions,
): Promise<void> {
  const [task, ...rest] = before
  if (rest.length > 0 || (task === undefined) === (command.length === 0))
    throw new CommandFailure(
      `expected a task, or a command behind --: sampan run -e ${options.environment} ${service} TASK, or sampan run -e ${options.environment} ${service} -- COMMAND`,
    )
  await withTarget(options, async target => {
    // Nobody else is at it at the same moment with the same process number.
    const mark = `${options.clock.now().toString(36)}-${process.pid.toString(36)}`
    const place = placeOf(service, target, options.file)
    const code =
      task === undefined
        ? await withOwnTerminal(terminal => runCommand(place, { command, mark }, target.engine, terminal))
        : await taskNow(task, mark, place, target)
    if (code !== undefined) process.exitCode = code
  })
}

async function taskNow(
  task: string,
  mark: string,
  place: Parameters<typeof runTask>[0],
  { engine }: Target,
): Promise<number | undefined> {
  const output = new Output()
  const stop = stopSignal()
  let shown = 0
  const show = (line: string): void => {
    output.quiet()
    shown++
    console.log(line)
  }
  const result = await untilStopped(stop, () =>
    runTask(place, { task, mark }, engine, {
      progress: text => output.working(text),
      heldUp: text => output.line(`waiting: ${text}`),
      line: show,
      signal: stop.signal,
    }),
  )
  output.quiet()
  if (result === undefined) return undefined
  // An engine that tells no lines while they come tells the last ones.
  if (shown === 0) for (const line of result.lines) show(line)
  if (result.exitCode !== 0) output.error(`${task}: ${result.reason ?? `it ended with exit code ${result.exitCode}`}`)
  return result.exitCode
}
