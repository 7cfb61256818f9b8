// `sampan exec -e ENVIRONMENT NAME [INSTANCE] -- COMMAND...`: a command in a running instance, with one's own terminal.
import { placeOf } from '../environment-services.ts'
import { instanceOf } from '../instance-of.ts'
import { lookAt, withTarget } from '../looking.ts'
import { CommandFailure } from '../output.ts'
import { withOwnTerminal } from '../own-terminal.ts'
import type { TargetOptions } from '../target.ts'

export interface ExecOptions extends TargetOptions {
  readonly file?: string
}

/** @param words an instance and the command, or the command alone, as `--` has divided them */
export async function exec(
  service: string,
  { before, command }: { readonly before: readonly string[]; readonly command: readonly string[] },
  options: ExecOptions,
): Promise<void> {
  if (command.length === 0 || before.length > 1)
    throw new CommandFailure(
      `expected a command behind --, as in: sampan exec -e ${options.environment} ${service} -- sh`,
    )
  await withTarget(options, async target => {
    const place = placeOf(service, target, options.file)
    const [looked] = await lookAt(target, [place])
    const instance = instanceOf(looked!, before[0])
    const code = await withOwnTerminal(terminal => target.engine.exec(place, { instance, command, terminal }))
    if (code !== undefined) process.exitCode = code
  })
}
