// A long-running child that outlives this process: started detached with its output in a file, found
// again by its pid file. A pid alone could belong to a stranger by now, so the program's name is checked.
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { programPath, spawnFailure } from './command.ts'

export interface DaemonOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly pidFile: string
  readonly logFile: string
  readonly environment?: NodeJS.ProcessEnv
}

/** Starts the program in a session of its own and returns its pid. @throws MissingProgramError */
export function startDaemon(options: DaemonOptions): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  mkdirSync(dirname(options.pidFile), { recursive: true })
  mkdirSync(dirname(options.logFile), { recursive: true })
  const log = openSync(options.logFile, 'a')
  const child = spawn(options.program, options.args, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { ...(options.environment ?? process.env), PATH: programPath() },
  })
  closeSync(log)
  child.on('error', (error: NodeJS.ErrnoException) => reject(spawnFailure(options.program, error)))
  child.on('spawn', () => {
    writeFileSync(options.pidFile, `${child.pid}\n`)
    child.unref()
    resolve(child.pid!)
  })
  return promise
}

/** The pid in the file if that process lives and runs `program`. */
export function runningDaemon(pidFile: string, program: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').trim())
    const argv0 = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? ''
    return basename(argv0) === basename(program) && !isZombie(pid) ? pid : undefined
  } catch {
    return undefined
  }
}

/** SIGTERM, then SIGKILL after `timeoutMs`; resolves when the process is gone. */
export async function stopDaemon(pidFile: string, program: string, timeoutMs = 5_000): Promise<void> {
  const pid = runningDaemon(pidFile, program)
  if (pid !== undefined) await endProcess(pid, timeoutMs)
  rmSync(pidFile, { force: true })
}

export async function endProcess(pid: number, timeoutMs: number): Promise<void> {
  if (!signal(pid, 'SIGTERM')) return
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += 10) {
    await sleep(10)
    if (!isAlive(pid)) return
  }
  signal(pid, 'SIGKILL')
  for (let waitedMs = 0; waitedMs < 1_000 && isAlive(pid); waitedMs += 10) await sleep(10)
}

export function isAlive(pid: number): boolean {
  return signal(pid, 0) && !isZombie(pid)
}

/** False when there is no such process. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}
