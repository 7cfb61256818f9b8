// The terminal of whoever gave the command, for a process that runs elsewhere: characters go as they are typed, and a
// window that changes its size tells so. Without a terminal, input and output are passed on as they are.
import { isatty } from 'node:tty'
import type { Terminal } from '../delivery/engine/engine.ts'
import { stopSignal, type StopSignal } from './stop-signal.ts'

/** @returns what the work returns; undefined: it was stopped, and the exit code of this process says so */
export async function withOwnTerminal<T>(work: (terminal: Terminal) => Promise<T>): Promise<T | undefined> {
  const { stdin, stdout, stderr } = process
  const raw = isatty(0) && isatty(1)
  const stop = stopSignal(stdout)
  if (raw) stdin.setRawMode(true)
  try {
    return await work(terminalOf(raw, stop))
  } catch (error) {
    if (!stop.signal.aborted) throw error
    return undefined
  } finally {
    if (raw) stdin.setRawMode(false)
    // Nothing more is read, and the process may end.
    stdin.unpipe()
    stdin.pause()
    stop.close()
    if (stop.exitCode !== undefined) process.exitCode = stop.exitCode
  }

  function terminalOf(isRaw: boolean, { signal }: StopSignal): Terminal {
    return {
      input: stdin,
      output: stdout,
      errors: stderr,
      raw: isRaw,
      signal,
      ...(isRaw && {
        size: () => ({ columns: stdout.columns, rows: stdout.rows }),
        resized: listener => {
          stdout.on('resize', listener)
          return () => void stdout.off('resize', listener)
        },
      }),
    }
  }
}
