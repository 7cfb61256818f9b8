// The instances of a service that is worked on: a way to the agent of each, and what its container has of the changed
// files. Whatever comes up gets what was changed since its image was made; a way that broke is opened again.
import type { Engine } from '../delivery/engine/engine.ts'
import type { Place } from '../delivery/engine/parts.ts'
import type { Clock } from '../lib/clock.ts'
import { AgentLink, LinkBroken } from './agent-link.ts'
import type { AgentStart, ProcessState } from './agent/words.ts'
import { changesBetween, type FileStates } from './file-states.ts'

export interface InstancesOptions {
  readonly engine: Pick<Engine, 'exec' | 'observe'>
  readonly clock: Clock
  readonly place: Place
  /** Whether the process is started again after a change. */
  readonly restarts: boolean
  /** What an image of this session was made of; undefined: it is none of this session. */
  readonly madeOf: (build: string) => FileStates | undefined
  /** How the agent is called. */
  readonly agent: () => readonly string[]
  /** As containers should have them. */
  readonly files: () => FileStates
  /** Files are in a container, and the process runs with them. */
  readonly brought: (text: string) => void
  readonly processEnded: (reason: string) => void
  /** An instance went, and no other way leads to it. */
  readonly lost: () => void
}

interface LinkedInstance {
  link: AgentLink | undefined
  /** What its container has. */
  states: FileStates
  boot: string
  /** Ends with what is brought there just now. */
  brought: Promise<void>
}

/** After a way to an agent broke. */
const relinkMs = 300
/** Lines of a log take so long; what is said about them comes behind them. */
const settleMs = 400

export class Instances {
  private readonly options: InstancesOptions
  private readonly known = new Map<string, LinkedInstance>()
  private readonly linking = new Map<string, Promise<void>>()
  private restartWanted = false
  private isClosed = false

  constructor(options: InstancesOptions) {
    this.options = options
  }

  /** Whether any takes changes just now. */
  get areThere(): boolean {
    return this.linked.length > 0
  }

  private get linked(): readonly string[] {
    return [...this.known].flatMap(([name, { link }]) => (link === undefined ? [] : [name]))
  }

  close(): void {
    this.isClosed = true
    for (const { link } of this.known.values()) link?.close()
  }

  /** An agent says that it begins. */
  async announced(instance: string, { build, boot }: AgentStart): Promise<void> {
    if (this.options.madeOf(build) !== undefined) await this.link(instance, boot)
  }

  /** Brings to all of them what was changed. */
  async bringAll(): Promise<void> {
    await Promise.all([...this.known.keys()].map(instance => this.bring(instance, false)))
  }

  /** Who is not there yet is started again when he comes. */
  async restart(): Promise<void> {
    const { linked } = this
    this.restartWanted = linked.length === 0
    await Promise.all(linked.map(instance => this.bring(instance, true)))
  }

  /** Those that announced themselves before anybody listened, and those whose way broke. @throws Error of the engine */
  async linkAll(): Promise<void> {
    const { engine, place } = this.options
    const { workloads } = await engine.observe(place)
    const own = workloads.filter(({ name }) => name === place.service)
    const running = new Set(own.flatMap(({ instances }) => instances.map(({ name }) => name)))
    for (const [name, { link }] of this.known)
      if (!running.has(name)) {
        link?.close()
        this.known.delete(name)
      }
    await Promise.all(
      [...running].filter(name => this.known.get(name)?.link === undefined).map(name => this.link(name)),
    )
  }

  /** A machine that slept, or a broken network, leaves connections that nobody ends. @returns whether all answer */
  async answer(): Promise<boolean> {
    const links = [...this.known.values()].map(({ link }) => link)
    const answers = await Promise.allSettled(links.map(async link => link?.order([], false)))
    return !links.includes(undefined) && answers.every(({ status }) => status === 'fulfilled')
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
    const { engine, clock, place, agent, madeOf } = this.options
    const known: LinkedInstance = this.known.get(instance) ?? {
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
        agent: agent(),
        process: state => this.processChanged(instance, state),
        ended: () => {
          if (known.link === link) this.linkEnded(instance, known)
        },
      })
      const states = madeOf(link.self.build)
      // One of a release before.
      if (states === undefined) return link.close()
      known.link?.close()
      known.link = link
      if (known.boot !== link.self.boot) known.states = states
      known.boot = link.self.boot
      this.known.set(instance, known)
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
      if (!this.isClosed && this.known.get(instance) === known) void this.relink(instance, known)
    })
  }

  private async relink(instance: string, known: LinkedInstance): Promise<void> {
    await this.link(instance)
    if (known.link === undefined && !this.isClosed) this.options.lost()
  }

  /** One at a time for each instance, so that nothing is brought twice. */
  private bring(instance: string, anyway: boolean): Promise<void> {
    const known = this.known.get(instance)
    if (known === undefined) return Promise.resolve()
    const brought = known.brought.then(() => this.bringTo(known, anyway))
    known.brought = brought.catch(() => {})
    return brought
  }

  private async bringTo(known: LinkedInstance, anyway: boolean): Promise<void> {
    const { restarts, brought } = this.options
    if (known.link === undefined) return
    const wanted = this.options.files()
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
    // A large one comes in parts.
    const paths = new Set(files.map(({ path }) => path))
    if (paths.size === 0) brought('started again')
    else brought(paths.size === 1 ? files[0]!.path : `${paths.size} files`)
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
      if (this.known.get(instance)?.link !== undefined) this.options.processEnded(reason)
    })
  }
}
