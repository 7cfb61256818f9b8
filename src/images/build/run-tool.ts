// Runs a tool of the project that is built (npm, go, pip) in one of its folders. When it fails, what it said last, or
// first, is the message.
import { dirname, join } from 'node:path'
import { CommandError, MissingProgramError, run, type CommandOutput } from '../../host/command.ts'
import { BuildError } from './build-error.ts'

export interface ToolRun {
  /** Where it runs. */
  readonly directory: string
  /** The folder that is built, as the user knows it. */
  readonly project: string
  readonly environment?: NodeJS.ProcessEnv
  /** Where it says what is wrong: package managers begin with it, programs end with it. */
  readonly tells: 'first' | 'last'
  /** What to say when the program is not there. */
  readonly missing?: string
}

const timeoutMs = 1_800_000

/** @throws BuildError */
export async function runTool(
  program: string,
  args: readonly string[],
  { directory, project, environment, tells, missing }: ToolRun,
): Promise<CommandOutput> {
  try {
    return await run(program, args, { directory, timeoutMs, ...(environment !== undefined && { environment }) })
  } catch (error) {
    if (error instanceof MissingProgramError) throw new BuildError(missing ?? error.message)
    if (!(error instanceof CommandError)) throw error
    // Compilers write their findings to either stream; the message has what stderr lacks.
    const lines = (error.stderr.trim() || error.message)
      .split('\n')
      .filter(line => line.trim() !== '' && line.trim() !== 'npm error')
    const telling = tells === 'first' ? lines.slice(0, 8) : lines.slice(-15)
    throw new BuildError(`${program} ${args.join(' ')} failed in ${project}:\n${telling.join('\n')}`)
  }
}

/** A step of the project itself, with the Node.js of images in front of others. @throws BuildError */
export async function runStep(
  { directory, command }: { readonly directory: string; readonly command: readonly string[] },
  nodeBinary: string,
): Promise<void> {
  const [program = '', ...args] = command
  await runTool(program, args, {
    directory,
    project: directory,
    environment: {
      ...process.env,
      PATH: `${join(directory, 'node_modules/.bin')}:${dirname(nodeBinary)}:${process.env['PATH'] ?? ''}`,
    },
    tells: 'last',
  })
}
