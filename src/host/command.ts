// Runs a program of the machine, without a shell, and gives back what it printed. A missing program
// becomes an error that names the Debian package to install; a failing one carries its own words. One that runs when the
// work around it is interrupted (interruption.ts) is ended with all that it has started.
import { spawn, type ChildProcess } from 'node:child_process'
import { interruption } from './interruption.ts'

/** Which Debian package brings a program along. */
const packageOf: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  crun: 'crun',
  ip: 'iproute2',
  nft: 'nftables',
  mkfifo: 'coreutils',
  ldd: 'libc-bin',
  mount: 'mount',
  umount: 'mount',
  nsenter: 'util-linux',
  iptables: 'iptables',
  buildah: 'buildah',
  skopeo: 'skopeo',
  certutil: 'libnss3-tools',
  'update-ca-certificates': 'ca-certificates',
}

export interface CommandOptions {
  readonly input?: string | Uint8Array
  readonly timeoutMs?: number
  readonly environment?: NodeJS.ProcessEnv
  readonly directory?: string
}

export interface CommandOutput {
  readonly stdout: string
  readonly stderr: string
}

export class CommandError extends Error {
  readonly exitCode: number | null
  readonly stderr: string
  /** What it wrote to both streams, in the order in which it came. */
  readonly output: string
  /** What ended it, when it did not end by itself. */
  readonly signal: NodeJS.Signals | null

  constructor(
    message: string,
    exitCode: number | null,
    stderr: string,
    output = stderr,
    signal: NodeJS.Signals | null = null,
  ) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
    this.stderr = stderr
    this.output = output
    this.signal = signal
  }
}

export class MissingProgramError extends Error {
  constructor(program: string) {
    const name = program.slice(program.lastIndexOf('/') + 1)
    super(`${program} was not found; install it with: apt-get install ${packageOf[name] ?? name}`)
    this.name = 'MissingProgramError'
  }
}

/** Why a program could not be started, from what the system says. */
export function spawnFailure(program: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'ENOENT') return new MissingProgramError(program)
  if (error.code !== 'EACCES') return error
  // Of a name that is looked for: it is nowhere else, and there is a folder, or a file, that is not for this user.
  if (!program.includes('/')) return new MissingProgramError(program)
  const message = `${program} may not be executed; allow it with: chmod +x ${program}`
  return new CommandError(message, null, message)
}

/** Debian keeps administrators' programs in sbin, which a user's PATH may lack. */
export const programPath = (path = process.env['PATH'] ?? ''): string =>
  [...new Set([...path.split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'])]
    .filter(entry => entry !== '')
    .join(':')

/** @throws MissingProgramError, CommandError; the reason of the interruption */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandOutput> {
  const interrupted = interruption()
  if (interrupted?.aborted) return Promise.reject(interrupted.reason as Error)
  const { promise, resolve, reject } = Promise.withResolvers<CommandOutput>()
  const child = spawn(program, args, {
    cwd: options.directory,
    env: { ...(options.environment ?? process.env), PATH: programPath((options.environment ?? process.env)['PATH']) },
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
    // A group of its own is ended as a whole.
    detached: interrupted !== undefined,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  const both: Buffer[] = []
  for (const [stream, chunks] of [
    [child.stdout, out],
    [child.stderr, err],
  ] as const)
    stream?.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      both.push(chunk)
    })
  child.on('error', (error: NodeJS.ErrnoException) => reject(spawnFailure(program, error)))
  const ended = interrupted === undefined ? undefined : endingWith(interrupted, child)
  child.on('close', (code, signal) => {
    if (interrupted?.aborted) return reject(interrupted.reason as Error)
    ended?.()
    const stdout = Buffer.concat(out).toString()
    const stderr = Buffer.concat(err).toString()
    if (code === 0) resolve({ stdout, stderr })
    else
      reject(
        new CommandError(
          `${program} ${args.join(' ')}: ${signal === null ? `exit code ${code}` : `ended by ${signal}`}: ${stderr.trim() || stdout.trim()}`,
          code,
          stderr,
          Buffer.concat(both).toString(),
          signal,
        ),
      )
  })
  // A program may end without reading its input; its exit code says more than the broken pipe.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input)
  return promise
}

/** How long a program may take to clear up. */
const graceMs = 5_000
/** Programs that are ended with this process. */
const running = new Set<ChildProcess>()
process.once('exit', () => running.forEach(child => signalGroup(child, 'SIGKILL')))

/** Ends the group of the program when the signal comes, or this process ends. @returns what ends that */
function endingWith(interrupted: AbortSignal, child: ChildProcess): () => void {
  const end = (): void => {
    signalGroup(child, 'SIGTERM')
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs)
    child.once('exit', () => {
      clearTimeout(timer)
      // What is left of the group when the program itself is gone has nobody who waits for it.
      signalGroup(child, 'SIGKILL')
      running.delete(child)
      // A program that has left the group may hold them open.
      for (const stream of [child.stdout, child.stderr]) stream?.destroy()
    })
  }
  interrupted.addEventListener('abort', end, { once: true })
  running.add(child)
  return () => {
    interrupted.removeEventListener('abort', end)
    running.delete(child)
  }
}

function signalGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name)
  } catch {
    // All of it has ended.
  }
}
