// The HAProxy of a cluster: a process beside the server that outlives it, brought to each layout with as little as that
// takes. It is started when there is something to serve. A configuration that it refuses never takes the place of the one
// before.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CommandError, run } from '../../host/command.ts'
import { isAlive, runningDaemon, signal, startDaemon } from '../../host/daemon.ts'
import type { ProcessPlace } from '../../host/process-place.ts'
import type { Clock } from '../../lib/clock.ts'
import { supervise } from '../../host/supervise.ts'
import { carriedOver, countsIn, type Carried, type Counts } from './carried-counts.ts'
import { changeTo, loaded, type Change, type Running, type Step } from './change.ts'
import { certificateDirectory } from './certificates.ts'
import { isDone } from './command-answer.ts'
import { commandWord } from './names.ts'
import { runCommands } from './command-socket.ts'
import { haproxyPlaces, processesOf, program, type HaproxyDirectories, type HaproxyPlaces } from './haproxy-places.ts'
import { filesOf, type GatewayFiles } from './files.ts'
import { startFailure } from './start-failure.ts'
import { layoutOf, type Layout, type Places } from './layout.ts'
import type { GatewayModel } from '../model/model.ts'

export interface HaproxyOptions extends HaproxyDirectories {
  readonly place: ProcessPlace
  readonly clock: Pick<Clock, 'now'>
  /** It had died and was started again, or does not start again. */
  readonly restarted: (error?: Error) => void
}

/** What HAProxy says about a configuration that it does not take. */
export class ConfigurationRefused extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'ConfigurationRefused'
  }
}

const startMs = 10_000

const writeSecret = (file: string, text: string): Promise<void> => writeFile(file, text, { mode: 0o600 })

export class Haproxy {
  private readonly options: HaproxyOptions
  private readonly files: HaproxyPlaces
  private readonly places: Places
  private running: Running | undefined
  private letDie: (() => void) | undefined
  /** By table: counts that were taken over. */
  private carried = new Map<string, Carried>()
  /** Ends with what is being done to it: one change, or one start, after the other. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(options: HaproxyOptions) {
    this.options = options
    this.files = haproxyPlaces(options)
    this.places = {
      directory: this.files.directory,
      socket: this.files.workerSocket,
      mirrorSocket: this.files.mirrorSocket,
      logSocket: this.files.logSocket,
      loginSocket: this.files.loginSocket,
      successorDirectory: this.files.successorDirectory,
    }
  }

  /** @throws ConfigurationRefused */
  bring(model: GatewayModel): Promise<Change['kind']> {
    return this.inTurn(() => this.bringNow(model))
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work)
    this.turn = done.catch(() => {})
    return done
  }

  private async bringNow(model: GatewayModel): Promise<Change['kind']> {
    const layout = layoutOf(model, this.places)
    const change = changeTo(this.running, layout)
    if (change.kind === 'none') return change.kind
    if (change.kind === 'commands') {
      if (await this.obeys(change.steps)) {
        this.running = await this.withoutLeft(change.next)
        return change.kind
      }
      // What it has by now is not known: it gets all of it.
      this.running = undefined
    }
    await this.load(layout)
    return 'load'
  }

  private async obeys(steps: readonly Step[]): Promise<boolean> {
    for (const step of steps) {
      if ('files' in step) {
        await this.keep(step.files)
        continue
      }
      const commands = 'commands' in step ? step.commands : await this.replacing(step.map, step.entries)
      const answers = await runCommands(this.files.workerSocket, commands)
      if (!answers.every(isDone)) return false
    }
    return true
  }

  private async replacing(map: string, entries: ReadonlyMap<string, string>): Promise<readonly string[]> {
    const [answer] = await runCommands(this.files.workerSocket, [`prepare map ${map}`])
    const version = /^New version created: (\d+)/.exec(answer?.text ?? '')?.[1]
    if (version === undefined) throw new Error(`HAProxy prepares no other version of ${map}: ${answer?.text}`)
    return [
      ...[...entries].map(([key, value]) => `add map @${version} ${map} ${commandWord(key)} ${value}`),
      `commit map @${version} ${map}`,
    ]
  }

  private async keep(files: ReadonlyMap<string, string | undefined>): Promise<void> {
    for (const [file, text] of files)
      if (text === undefined) await rm(file, { force: true })
      else await writeSecret(file, text)
  }

  /** Nothing is watched any more; it goes on serving. */
  leave(): void {
    this.letDie?.()
  }

  private async load(layout: Layout): Promise<void> {
    const next = loaded(layout)
    await this.write(filesOf(next))
    await mkdir(this.files.successorDirectory, { recursive: true, mode: 0o700 })
    if (this.isRunning()) await this.reload(layout)
    else await this.launch()
    this.running = next
    this.letDie ??= supervise({
      socket: this.files.masterSocket,
      isAlive: () => this.isRunning(),
      launch: () => this.inTurn(() => this.recover()),
      restarted: this.options.restarted,
    })
  }

  /** What HAProxy has against a model; undefined: it would take it. Nothing changes by it. */
  async refusal(model: GatewayModel): Promise<string | undefined> {
    const directory = join(this.files.directory, 'trial')
    try {
      const layout = layoutOf(model, { ...this.places, directory })
      return await checked(directory, join(directory, 'haproxy.cfg'), filesOf(loaded(layout)))
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }

  /** Checked before anything takes the place of what is there. */
  private async write(files: GatewayFiles): Promise<void> {
    const { configFile, directory } = this.files
    const keys = certificateDirectory(directory)
    const { others } = files
    const candidate = `${configFile}.new`
    const refused = await checked(directory, candidate, files)
    if (refused !== undefined) throw new ConfigurationRefused(refused)
    await rename(candidate, configFile)
    // Keys of what is gone stay nowhere.
    for (const file of (await readdir(keys)).map(name => join(keys, name)))
      if (!others.has(file)) await rm(file, { force: true })
  }

  /** `127.0.0.1:80`, while it runs: by what it was loaded with. */
  listensAt(): ReadonlySet<string> {
    const { configFile } = this.files
    if (!this.isRunning() || !existsSync(configFile)) return new Set()
    return new Set([...readFileSync(configFile, 'utf8').matchAll(/^bind ([\d.]+:\d+)/gm)].map(([, at]) => at!))
  }

  isRunning(): boolean {
    return runningDaemon(this.files.pidFile, program) !== undefined
  }

  /** Also with what it was told while it ran, which its files do not have. */
  private async recover(): Promise<boolean> {
    if (this.isRunning() || this.running === undefined) return false
    await this.load(this.running.layout)
    return true
  }

  private async launch(): Promise<void> {
    const { configFile, masterSocket, pidFile, logFile } = this.files
    await Promise.all([rm(masterSocket, { force: true }), rm(this.files.workerSocket, { force: true })])
    await mkdir(dirname(masterSocket), { recursive: true })
    // Workers whose master died go on with what they have.
    const orphans = processesOf(configFile)
    const [command, args] = this.options.place.command(program, [
      '-W',
      '-S',
      `${masterSocket},mode,600`,
      '-f',
      configFile,
    ])
    const pid = await startDaemon({ program: command, args, pidFile, logFile })
    for (let waitedMs = 0; waitedMs < startMs; waitedMs += 10) {
      // The socket is there before the ports are.
      if (await this.answers()) {
        for (const orphan of orphans) signal(orphan, 'SIGUSR1')
        return this.options.place.settle(pid, 'gateway')
      }
      if (!isAlive(pid)) break
      await sleep(10)
    }
    const log = await readFile(logFile, 'utf8').catch(() => '')
    throw new Error(startFailure(log.split('\n').slice(-20).join('\n'), logFile))
  }

  private async answers(): Promise<boolean> {
    if (!existsSync(this.files.workerSocket)) return false
    return runCommands(this.files.workerSocket, ['show info']).then(
      () => true,
      () => false,
    )
  }

  /**
   * The process before goes on with the requests that it has. Resolves when the new one has taken the sockets, and the one
   * before knows it.
   */
  private async reload({ tables }: Layout): Promise<void> {
    const before = await this.workerOf()
    // A process whose place is taken forgets them at once.
    const counts = await this.countsOf(tables)
    await runCommands(this.files.masterSocket, ['reload'])
    for (let waitedMs = 0; waitedMs < startMs; waitedMs += 5) {
      const now = await this.workerOf().catch(() => before)
      if (now !== undefined && now !== before && (await this.isReplaced(before)))
        return this.carryCounts(counts, tables)
      await sleep(5)
    }
    throw new Error(`HAProxy was not loaded anew within ${startMs} ms; look at ${this.files.logFile}`)
  }

  /** What it cannot be told is counted from the beginning. */
  private async carryCounts(counts: ReadonlyMap<string, Counts>, tables: ReadonlyMap<string, number>): Promise<void> {
    const carried = new Map<string, Carried>()
    const now = await this.countsOf(tables)
    const nowMs = this.options.clock.now()
    for (const [table, periodMs] of tables) {
      const next = carriedOver(counts.get(table)!, this.carried.get(table) ?? new Map(), { nowMs, periodMs })
      carried.set(table, next.carried)
      const commands = Array.from(
        next.counts,
        ([key, count]) => `set table ${table} key ${key} data.gpc0_rate ${count + (now.get(table)!.get(key) ?? 0)}`,
      )
      await runCommands(this.files.workerSocket, commands).catch(() => [])
    }
    this.carried = carried
  }

  /** By table; none of one that it does not have. */
  private async countsOf(tables: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, Counts>> {
    const names = [...tables.keys()]
    const commands = names.map(table => `show table ${table} data.gpc0_rate gt 0`)
    const answers = await runCommands(this.files.workerSocket, commands).catch(() => [])
    return new Map(names.map((table, index) => [table, countsIn(answers[index]?.text ?? '')]))
  }

  private async workerOf(): Promise<string | undefined> {
    const [answer] = await runCommands(this.files.masterSocket, ['show proc'])
    return /^(\d+)\s+worker\s/m.exec(answer?.text ?? '')?.[1]
  }

  /** Whether a worker hands over whatever it is asked from now on; one that is gone is asked nothing. */
  private async isReplaced(worker: string | undefined): Promise<boolean> {
    if (worker === undefined) return true
    const [answer] = await runCommands(this.files.masterSocket, [`@!${worker} show info`]).catch(() => [])
    return !/^Stopping: 0/m.test(answer?.text ?? '')
  }

  /** Takes away servers that have nothing left; those that do are tried again with the next change. */
  private async withoutLeft(running: Running): Promise<Running> {
    const leaving = [...running.leaving].flatMap(([backend, servers]) =>
      [...servers].map(server => ({ backend, server })),
    )
    if (leaving.length === 0) return running
    const answers = await runCommands(
      this.files.workerSocket,
      leaving.map(({ backend, server }) => `del server ${backend}/${server}`),
    )
    const left = new Map<string, Set<string>>()
    leaving.forEach(({ backend, server }, index) => {
      if (/deleted|No such server/i.test(answers[index]?.text ?? '')) return
      left.set(backend, (left.get(backend) ?? new Set()).add(server))
    })
    return { ...running, leaving: left }
  }
}

/** Writes the files of a configuration. @returns what HAProxy says against it; undefined: nothing */
async function checked(
  directory: string,
  configFile: string,
  { configuration, others }: GatewayFiles,
): Promise<string | undefined> {
  for (const folder of [join(directory, 'maps'), certificateDirectory(directory)])
    await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const [file, text] of others) await writeSecret(file, text)
  await writeSecret(configFile, configuration)
  try {
    await run(program, ['-c', '-f', configFile])
    return undefined
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return error.output.trim()
  }
}
