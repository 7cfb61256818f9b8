// Ctrl-C and its like: the first one asks the command to undo what it began, the second one ends it at once.
import { constants } from 'node:os'
import { Interruption } from '../delivery/deploy-error.ts'
import { CommandFailure, type Output } from './output.ts'

const names = { SIGINT: 'Ctrl-C', SIGTERM: 'SIGTERM', SIGHUP: 'the end of the terminal (SIGHUP)' } as const
type Name = keyof typeof names

export interface InterruptionWatch {
  readonly signal: AbortSignal
  /** What the process ends with, once it was interrupted: as shells expect it. */
  readonly exitCode: number | undefined
  close(): void
}

/**
 * @param goOn what to do after the command was ended at once
 * @param first what the first one leads to
 */
export function watchForInterruption(
  output: Output,
  goOn: string,
  first = 'going back to how it was before',
): InterruptionWatch {
  const controller = new AbortController()
  let exitCode: number | undefined
  const interrupt = (name: Name): void => {
    if (exitCode !== undefined) {
      output.error(`ended at once; ${goOn}`)
      return process.exit(exitCode)
    }
    exitCode = 128 + constants.signals[name]
    output.line(`${names[name]}: ${first}; once more to end at once`)
    controller.abort(new Interruption(names[name]))
  }
  const signals = Object.keys(names) as Name[]
  for (const name of signals) process.on(name, interrupt)
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    close() {
      for (const name of signals) process.off(name, interrupt)
    },
  }
}

export interface Interruptible {
  /** What the first one leads to. */
  readonly first?: string
  /** What to do after the second. */
  readonly goOn: string
}

/** Work that a signal may end, with the exit code that shells expect then. */
export async function interruptible<T>(
  output: Output,
  { goOn, first }: Interruptible,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interruption = watchForInterruption(output, goOn, first)
  try {
    return await work(interruption.signal)
  } catch (error) {
    throw interruption.exitCode === undefined
      ? error
      : new CommandFailure((error as Error).message, interruption.exitCode)
  } finally {
    output.quiet()
    interruption.close()
  }
}
