// An agent as it is in a container, but on this machine: an engine whose one instance is a folder and a process of its
// own, and whose `exec` starts programs here.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Engine, LogLine } from '../delivery/engine/engine.ts'

export class LocalAgent {
  readonly folder = mkdtempSync(join(tmpdir(), 'sampan-agent-'))
  /** What is called in the "container". */
  readonly agent: readonly string[]
  private container: ChildProcess | undefined
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
        const child = spawn(program!, args, { signal: terminal.signal })
        child.on('error', () => {})
        terminal.input?.pipe(child.stdin)
        child.stdin.on('error', () => {})
        child.stdout.pipe(terminal.output)
        child.stderr.pipe(terminal.errors)
        return new Promise(resolve => child.on('close', code => resolve(code ?? 1)))
      },
      logs: (_place, { signal }) => this.follow(signal),
      observe: async () => ({
        workloads: [
          {
            name: 'web',
            track: 'main',
            version: 'dev',
            image: 'web:dev',
            wanted: 1,
            ready: 1,
            autoscaled: false,
            instances: [{ name: 'web-1', version: 'dev', state: 'Running', ready: true, restarts: 0 }],
          },
        ],
        entrances: [],
        schedules: [],
        routes: [],
      }),
    }
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
