import { dirname } from 'node:path'
import type { CommandOutput } from '../../../host/command.ts'
import type { BuildContext } from '../builder.ts'
import { runTool } from '../run-tool.ts'

/** npm, run by the Node.js that goes into the image. @throws BuildError */
export const npm = (
  { nodeBinary, directory: project }: Pick<BuildContext, 'nodeBinary' | 'directory'>,
  directory: string,
  args: readonly string[],
): Promise<CommandOutput> =>
  runTool('npm', args, {
    directory,
    project,
    environment: { ...process.env, PATH: `${dirname(nodeBinary)}:${process.env['PATH'] ?? ''}` },
    tells: args[0] === 'ci' ? 'first' : 'last',
  })
