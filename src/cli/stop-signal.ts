// Ctrl-C and its like for commands that leave nothing behind: they end, and say with what as shells expect it.
import { constants } from 'node:os'

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface StopSignal {
  readonly signal: AbortSignal
  /** undefined: nobody stopped it. */
  readonly exitCode: number | undefined
  close(): void
}

/** Fires also when nobody reads the output any more, which is the good end of `sampan logs | head`. */
export function stopSignal(output?: NodeJS.WritableStream): StopSignal {
  const controller = new AbortController()
  let exitCode: number | undefined
  const stop = (name: (typeof names)[number]): void => {
    if (exitCode !== undefined) process.exit(exitCode)
    exitCode = 128 + constants.signals[name]
    controller.abort(new Error(`stopped by ${name}`))
  }
  const unread = (): void => controller.abort(new Error('nobody reads the output any more'))
  for (const name of names) process.on(name, stop)
  output?.on('error', unread)
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode
    },
    close() {
      for (const name of names) process.off(name, stop)
      output?.off('error', unread)
    },
  }
}

/** Work that ends well when it is stopped; what it throws after that was the stop. */
export async function untilStopped<T>(stop: StopSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!stop.signal.aborted) throw error
    return undefined
  } finally {
    stop.close()
    if (stop.exitCode !== undefined) process.exitCode = stop.exitCode
  }
}
