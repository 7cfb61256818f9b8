// One service that is worked on, from a change of its files to the process that runs them: each change does the least
// that brings it there. What fails is told and waits for the next change. Containers that come up, for whatever reason,
// get what was changed since their image was made.
import type { Engine, LogLine } from '../delivery/engine/engine.ts'
import type { Place } from '../delivery/engine/parts.ts'
import type { Development } from '../images/build/builder.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { AgentLink, LinkBroken } from './agent-link.ts'
import { startMark, type AgentStart, type ProcessState } from './agent/words.ts'
import { changesBetween, fileStates, fingerprint, type FileStates } from './file-states.ts'
import { neededFor, type Need } from './needed.ts'

export interface MadeImage {
  /** How its agent is called. */
  readonly agent: readonly string[]
}

/** What a session cannot do by itself. */
export interface SessionWork {
  /** Makes the image of the files as they are. @param build what it is told from others by @throws Error with what is wrong */
  readonly build: (build: string) => Promise<MadeImage>
  /** Brings it to the cluster, by the manifest as it is now; ends when it serves. @throws Error */
  readonly deliver: (image: MadeImage, signal: AbortSignal) => Promise<void>
  /** Runs a step of the project on this machine. @throws Error with its last lines */
  readonly step: (step: Development['steps'][number]) => Promise<void>
}

export interface SessionReport {
  readonly line: (line: LogLine) => void
  readonly done: (text: string) => void
  readonly working: (text: string) => void
  readonly trouble: (text: string) => void
}

export interface SessionOptions {
  readonly engine: Pick<Engine, 'exec' | 'logs' | 'observe'>
  readonly clock: Clock
  readonly place: Place
  /** Absolute path of the manifest. */
  readonly manifest: string
  /** undefined: each change makes another image. */
  readonly development: Development | undefined
  /** Whether the process is started again after a change. */
  readonly restarts: boolean
  readonly work: SessionWork
  readonly report: SessionReport
}

interface LinkedInstance {
  link: AgentLink | undefined
  /** What its container has. */
  states: FileStates
  boot: string
  /** Ends with what is brought there just now. */
  brought: Promise<void>
}

/** How often it is looked whether agents are still there. */
const heartbeatMs = 5_000
/** After a way to an agent broke. */
const relinkMs = 300
/** Lines of a log take so long; what is said about them comes behind them. */
const settleMs = 400

export class DevelopmentSession {
  private readonly options: SessionOptions
  private readonly stopped = new AbortController()
  /** What the images of this session were made of. */
  private readonly images = new Map<string, FileStates>()
  private readonly instances = new Map<string, LinkedInstance>()
  private readonly linking = new Map<string, Promise<void>>()
  private image: MadeImage | undefined
  private files: FileStates = new Map()
  private delivery: { readonly end: AbortController; readonly over: Promise<void> } | undefined
  private needs = new Set<Need | 'restart'>()
  private wake = Promise.withResolvers<void>()
  private logs = new AbortController()
  private lastLineAt = ''
  private changedAtMs = 0
  private restartWanted = false

  constructor(options: SessionOptions) {
    this.options = options
  }

  /** Until `stop`. */
  async run(): Promise<void> {
    const { clock } = this.options
    void this.follow()
    let timer: Timer | undefined
    const beat = (): void => {
      timer = clock.after(heartbeatMs, () => {
        void this.lookAtAgents()
        beat()
      })
    }
    beat()
    this.need('image')
    while (!this.stopped.signal.aborted) {
      await this.wake.promise
      this.wake = Promise.withResolvers()
      if (this.stopped.signal.aborted) break
      const { needs } = this
      this.needs = new Set()
      try {
        await this.satisfy(needs)
      } catch (error) {
        this.options.report.trouble(`${(error as Error).message}\nwaiting for the next change`)
      }
    }
    timer?.cancel()
    this.logs.abort()
    for (const { link } of this.instances.values()) link?.close()
    await this.endDelivery()
  }

  /** Something below the inputs, or the manifest, changed. */
  changed(paths: readonly string[]): void {
    const { manifest, development } = this.options
    this.changedAtMs = this.options.clock.now()
    this.need(neededFor(paths, { manifest, making: development?.making ?? [], syncable: development !== undefined }))
  }

  restart(): void {
    this.need('restart')
  }

  stop(): void {
    this.stopped.abort()
    this.wake.resolve()
  }

  private need(need: Need | 'restart'): void {
    if (need === 'nothing') return
    this.needs.add(need)
    this.wake.resolve()
  }

  private async satisfy(needs: ReadonlySet<Need | 'restart'>): Promise<void> {
    const { development, report } = this.options
    if (needs.has('image') || this.image === undefined) {
      await this.makeImage()
      return this.deliver()
    }
    if (needs.has('files')) {
      for (const step of development!.steps) {
        report.working(step.command.join(' '))
        await this.options.work.step(step)
      }
      this.files = await fileStates(development!.roots, this.files)
      await Promise.all([...this.instances.keys()].map(instance => this.bring(instance, false)))
      if (this.delivery === undefined && [...this.instances.values()].every(({ link }) => link === undefined))
        report.trouble(
          'no instance takes the change just now; one that comes gets it, unless somebody else delivered the service meanwhile (sampan history tells)',
        )
    } else if (needs.has('restart')) {
      const linked = [...this.instances].filter(([, { link }]) => link !== undefined)
      // Who is not there yet is started again when he comes.
      this.restartWanted = linked.length === 0
      await Promise.all(linked.map(([instance]) => this.bring(instance, true)))
    }
    if (needs.has('delivery')) await this.deliver()
  }

  private async makeImage(): Promise<void> {
    const { development, work } = this.options
    const states = development === undefined ? new Map() : await fileStates(development.roots, this.files)
    const build = fingerprint(states)
    this.images.set(build, states)
    this.image = await work.build(build)
    this.files = states
    // What was changed meanwhile, and what the build itself wrote.
    if (development !== undefined) this.files = await fileStates(development.roots, states)
  }

  /** The delivery goes on by itself, so that a service that does not start can be changed. */
  private async deliver(): Promise<void> {
    await this.endDelivery()
    const end = new AbortController()
    const begunAtMs = this.changedAtMs
    const over = this.carryOut(end.signal, begunAtMs).finally(() => {
      if (this.delivery?.end === end) this.delivery = undefined
    })
    this.delivery = { end, over }
  }

  private async carryOut(signal: AbortSignal, begunAtMs: number): Promise<void> {
    const { work, report, clock } = this.options
    try {
      await work.deliver(this.image!, signal)
      await this.linkAll()
      report.done(begunAtMs === 0 ? 'delivered' : `delivered, ${seconds(clock.now() - begunAtMs)} after the change`)
    } catch (error) {
      if (signal.aborted) return
      // The next change delivers anew.
      this.image = undefined
      report.trouble(`${(error as Error).message}\nwaiting for the next change`)
    }
  }

  private async endDelivery(): Promise<void> {
    this.delivery?.end.abort()
    await this.delivery?.over
  }

  /** Lines of all instances; among them those with which agents announce themselves. */
  private async follow(): Promise<void> {
    const { engine, place, clock, report } = this.options
    for (let isFirst = true; !this.stopped.signal.aborted; isFirst = false) {
      this.logs = new AbortController()
      const signal = AbortSignal.any([this.stopped.signal, this.logs.signal])
      try {
        const lines = engine.logs(place, { follow: true, previous: false, signal, ...(isFirst && { tail: 0 }) })
        for await (const line of lines) {
          // After a new beginning, lines come again.
          if (line.at <= this.lastLineAt && !isFirst) continue
          this.lastLineAt = line.at
          if (!line.text.startsWith(startMark)) report.line(line)
          else void this.announced(line.instance, JSON.parse(line.text.slice(startMark.length)) as AgentStart)
        }
      } catch (error) {
        if (signal.aborted) continue
        report.trouble(`the logs broke off: ${(error as Error).message}`)
      }
      if (!this.stopped.signal.aborted) await new Promise<void>(resolve => clock.after(heartbeatMs, () => resolve()))
    }
  }

  private async announced(instance: string, { build, boot }: AgentStart): Promise<void> {
    if (this.images.has(build)) await this.link(instance, boot)
  }

  /** Of instances that announced themselves before anybody listened. */
  private async linkAll(): Promise<void> {
    const { workloads } = await this.options.engine.observe(this.options.place)
    const own = workloads.filter(({ name }) => name === this.options.place.service)
    const running = new Set(own.flatMap(({ instances }) => instances.map(({ name }) => name)))
    for (const name of this.instances.keys())
      if (!running.has(name)) {
        this.instances.get(name)?.link?.close()
        this.instances.delete(name)
      }
    await Promise.all(
      [...running].filter(name => this.instances.get(name)?.link === undefined).map(name => this.link(name)),
    )
  }

  /** One at a time for each instance. @param boot of the container that is there now, where that is known */
  private link(instance: string, boot?: string): Promise<void> {
    const before = this.linking.get(instance) ?? Promise.resolve()
    const linked = before.then(() => this.openLink(instance, boot))
    this.linking.set(instance, linked)
    return linked
  }

  /** Opens a way to the agent there, and brings what its container lacks. */
  private async openLink(instance: string, boot: string | undefined): Promise<void> {
    const { engine, clock, place } = this.options
    const known: LinkedInstance = this.instances.get(instance) ?? {
      link: undefined,
      states: new Map(),
      boot: '',
      brought: Promise.resolve(),
    }
    if (known.link !== undefined && (boot === undefined || boot === known.boot)) return
    let link: AgentLink | undefined
    try {
      link = await AgentLink.open({
        engine,
        clock,
        place,
        instance,
        agent: this.image?.agent ?? [],
        process: state => this.processChanged(instance, state),
        ended: () => {
          if (known.link === link) this.linkEnded(instance, known)
        },
      })
      const states = this.images.get(link.self.build)
      // One of a release before.
      if (states === undefined) return link.close()
      known.link?.close()
      known.link = link
      if (known.boot !== link.self.boot) known.states = states
      known.boot = link.self.boot
      this.instances.set(instance, known)
      const anyway = this.restartWanted
      this.restartWanted = false
      await this.bring(instance, anyway)
    } catch {
      // It has gone; another one announces itself.
      known.link = undefined
    }
  }

  /** Where the container goes on, it was the way that broke. */
  private linkEnded(instance: string, known: LinkedInstance): void {
    known.link = undefined
    this.options.clock.after(relinkMs, () => {
      if (!this.stopped.signal.aborted && this.instances.get(instance) === known) void this.link(instance)
    })
  }

  /** One at a time for each instance, so that nothing is brought twice. */
  private bring(instance: string, anyway: boolean): Promise<void> {
    const known = this.instances.get(instance)
    if (known === undefined) return Promise.resolve()
    const brought = known.brought.then(() => this.bringTo(known, anyway))
    known.brought = brought.catch(() => {})
    return brought
  }

  private async bringTo(known: LinkedInstance, anyway: boolean): Promise<void> {
    const { report, restarts } = this.options
    if (known.link === undefined) return
    const wanted = this.files
    const files = changesBetween(known.states, wanted)
    if (files.length === 0 && !anyway) return
    try {
      await known.link.order(files, restarts || anyway)
    } catch (error) {
      // Whoever comes next there gets it.
      if (error instanceof LinkBroken) return
      throw error
    }
    known.states = wanted
    const tookMs = this.options.clock.now() - this.changedAtMs
    report.done(
      files.length === 0
        ? 'started again'
        : `${files.length === 1 ? files[0]!.path : `${files.length} files`} in ${seconds(tookMs)}`,
    )
  }

  private processChanged(instance: string, state: ProcessState): void {
    if (state.state === 'running') return
    const reason =
      state.state === 'unstartable'
        ? `could not be started: ${state.reason}`
        : state.signal === null
          ? `ended with exit code ${state.code}`
          : `was ended by ${state.signal}`
    // A process that is being replaced tells nothing; its last lines come before what is said about it.
    this.options.clock.after(settleMs, () => {
      if (this.instances.get(instance)?.link !== undefined)
        this.options.report.trouble(`the process ${reason}; waiting for the next change (Enter starts it again)`)
    })
  }

  /** A machine that slept, or a broken network, leaves connections that nobody ends. */
  private async lookAtAgents(): Promise<void> {
    const answers = await Promise.allSettled(
      [...this.instances.values()].map(async ({ link }) => link?.order([], false)),
    )
    const isWell = [...this.instances.values()].every(({ link }) => link !== undefined)
    if ((isWell && answers.every(({ status }) => status === 'fulfilled')) || this.stopped.signal.aborted) return
    this.logs.abort()
    await this.linkAll().catch(() => {})
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
