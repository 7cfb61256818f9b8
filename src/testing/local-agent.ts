// An agent as it is in a container, but on this machine: an engine whose one instance is a folder and a process of its
// own, and whose `exec` starts programs here.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Engine, LogLine, Observation } from '../delivery/engine/engine.ts'

export class LocalAgent {
  readonly folder = mkdtempSync(join(tmpdir(), 'sampan-agent-'))
  /** What is called in the "container". */
  readonly agent: readonly string[]
  private container: ChildProcess | undefined
  private readonly ways = new Set<ChildProcess>()
  private refusal: Error | undefined
  private lines: LogLine[] = []
  private wake = Promise.withResolvers<void>()
  private count = 0

  constructor() {
    const file = join(this.folder, 'agent.mts')
    copyFileSync(new URL('../develop/agent/agent.ts', import.meta.url), file)
    mkdirSync(join(this.folder, 'run'))
    this.agent = [process.execPath, file]
  }

  /** Starts the container, or another one in its place. */
  start(command: readonly string[], build: string): void {
    this.die()
    const [program, ...args] = [...this.agent, 'run', ...command]
    const child = spawn(program!, args, {
      env: { ...process.env, SAMPAN_BUILD: build, NODE_COMPILE_CACHE: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.container = child
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', text => {
        this.lines.push({ instance: 'web-1', at: String(++this.count).padStart(9, '0'), text })
        this.wake.resolve()
      })
  }

  /** As a container does: with all that runs in it. */
  private die(): void {
    const pid = this.container?.pid
    if (pid === undefined) return
    const children = spawnSync('pgrep', ['--parent', String(pid)], { encoding: 'utf8' }).stdout.split('\n')
    this.container?.kill('SIGKILL')
    for (const child of children.filter(line => line !== '')) {
      try {
        process.kill(-Number(child), 'SIGKILL')
      } catch {
        // It has ended.
      }
    }
  }

  /** Nothing comes in its place. */
  stopContainer(): void {
    this.die()
    this.container = undefined
  }

  /** From now on whoever asks the engine is told so, and all ways into the container end. */
  refuses(reason: string): void {
    this.refusal = new Error(reason)
    for (const way of this.ways) way.kill()
  }

  accepts(): void {
    this.refusal = undefined
  }

  get said(): readonly string[] {
    return this.lines.map(({ text }) => text)
  }

  stop(): Promise<number | null> {
    const { container } = this
    const { promise, resolve } = Promise.withResolvers<number | null>()
    container?.once('exit', resolve)
    container?.kill('SIGTERM')
    return container === undefined || container.exitCode !== null
      ? Promise.resolve(container?.exitCode ?? null)
      : promise
  }

  remove(): void {
    this.die()
    rmSync(this.folder, { recursive: true, force: true })
  }

  get engine(): Pick<Engine, 'exec' | 'logs' | 'observe'> {
    return {
      exec: (_place, { command: [program, ...args], terminal }) => {
        if (this.refusal !== undefined) return Promise.reject(this.refusal)
        const child = spawn(program!, args, { signal: terminal.signal })
        this.ways.add(child)
        child.on('error', () => {})
        terminal.input?.pipe(child.stdin)
        child.stdin.on('error', () => {})
        child.stdout.pipe(terminal.output)
        child.stderr.pipe(terminal.errors)
        return new Promise(resolve => child.on('close', code => resolve(code ?? 1)))
      },
      logs: (_place, { signal }) => this.follow(signal),
      observe: async () => {
        if (this.refusal !== undefined) throw this.refusal
        return this.observation
      },
    }
  }

  private get observation(): Observation {
    const instances =
      this.container === undefined
        ? []
        : [{ name: 'web-1', version: 'dev', state: 'Running', ready: true, restarts: 0 }]
    const one = { name: 'web', track: 'main', version: 'dev', image: 'web:dev', wanted: 1, ready: 1, autoscaled: false }
    return { workloads: [{ ...one, instances }], entrances: [], schedules: [], routes: [] }
  }

  private async *follow(signal: AbortSignal): AsyncIterable<LogLine> {
    signal.addEventListener('abort', () => this.wake.resolve(), { once: true })
    for (let next = 0; !signal.aborted;) {
      while (next < this.lines.length) yield this.lines[next++]!
      await this.wake.promise
      this.wake = Promise.withResolvers()
    }
  }
}
