// Runs cargo in the folder of a project.
import type { CommandOutput } from '../../../host/command.ts'
import type { BuildContext } from '../builder.ts'
import { runTool } from '../run-tool.ts'

/** @throws BuildError */
export const cargo = (
  { directory }: Pick<BuildContext, 'directory'>,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<CommandOutput> =>
  runTool('cargo', args, {
    directory,
    project: directory,
    environment: { ...process.env, ...variables },
    tells: 'last',
    missing: `${directory} is a Rust project (Cargo.toml), and cargo is missing on this machine; install it with: apt-get install cargo`,
  })
