// Runs a tool of the project that is built (npm, go, pip) in one of its folders. When it fails, what it said last, or
// first, is the message.
import { dirname, join } from 'node:path'
import { CommandError, MissingProgramError, run, type CommandOutput } from '../../host/command.ts'
import { interruptedBy } from '../../host/interruption.ts'
import { BuildError } from './build-error.ts'
import type { DevelopmentStep } from './builder.ts'

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
  /** How the command is called in a message, where it is not called like that. */
  readonly shownAs?: string
  /** What to do about a failure, told by all that was printed. */
  readonly explain?: (output: string) => string | undefined
}

const timeoutMs = 1_800_000

/** @throws BuildError */
export async function runTool(
  program: string,
  args: readonly string[],
  { directory, project, environment, tells, missing, shownAs, explain }: ToolRun,
): Promise<CommandOutput> {
  try {
    return await run(program, args, { directory, timeoutMs, ...(environment !== undefined && { environment }) })
  } catch (error) {
    if (error instanceof MissingProgramError) throw new BuildError(missing ?? error.message)
    if (!(error instanceof CommandError)) throw error
    const lines = error.output.split('\n').filter(line => line.trim() !== '' && !noise.test(line))
    const telling = tells === 'first' ? lines.filter(line => !progress.test(line)).slice(0, 8) : lines.slice(-15)
    const advice = explain?.(error.output)
    throw new BuildError(
      [
        `${shownAs ?? `${program} ${args.join(' ')}`} failed in ${project}:`,
        ...telling,
        // A program that somebody else ended (the kernel, for want of memory) does not tell it.
        ...(telling.length === 0 || error.signal !== null ? [howItEnded(error, telling.length > 0)] : []),
        ...(advice === undefined ? [] : [advice]),
      ].join('\n'),
    )
  }
}

export const howItEnded = ({ signal, exitCode }: CommandError, hasPrinted: boolean): string =>
  `it ${signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`}${hasPrinted ? '' : ' and printed nothing'}`

/** What npm writes around what it says. */
const noise = /^npm error(?:\s*| {4,}at .*| A complete log of this run can be found in: .*)$/
/** What package managers say of their progress before they say what is wrong. */
const progress = /^(?:Progress: |Lockfile is up to date|\++$|➤ YN0000: |\[\d\/\d\] |yarn install v|info )/

type StepContext = Parameters<NonNullable<DevelopmentStep['run']>>[0]

/** A step of the project itself. @param signal ends it with all that it runs @throws BuildError, and the signal's reason */
export const runStep = (step: DevelopmentStep, context: StepContext, signal: AbortSignal): Promise<void> =>
  interruptedBy(signal, () => step.run?.(context) ?? runCommand(step, context))

/** With the Node.js of images in front of others. */
async function runCommand({ directory, command }: DevelopmentStep, context: StepContext): Promise<void> {
  const [program = '', ...args] = command
  await runTool(program, args, {
    directory,
    project: directory,
    environment: {
      ...process.env,
      PATH: `${join(directory, 'node_modules/.bin')}:${dirname(context.nodeBinary)}:${process.env['PATH'] ?? ''}`,
    },
    tells: 'last',
  })
}
