// One service that is worked on, from a change of its files to the process that runs them: each change does the least
// that brings it there. What fails is told and waits for the next change.
import { Interruption } from '../delivery/deploy-error.ts'
import type { Engine, LogLine } from '../delivery/engine/engine.ts'
import type { Place } from '../delivery/engine/parts.ts'
import type { Development } from '../images/build/builder.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { startMark, type AgentStart } from './agent/words.ts'
import { changesBetween, fileStates, fingerprint, type FileStates } from './file-states.ts'
import { Instances } from './instances.ts'
import { neededFor, type Need } from './needed.ts'

export interface MadeImage {
  /** How its agent is called. */
  readonly agent: readonly string[]
}

/** What a session cannot do by itself. */
export interface SessionWork {
  /** Makes the image of the files as they are. @param build what it is told from others by @param signal ends it @throws Error with what is wrong */
  readonly build: (build: string, signal: AbortSignal) => Promise<MadeImage>
  /** @throws Error when the manifests, as they are now, cannot be delivered */
  readonly check: () => void
  /** Brings it to the cluster, by the manifests as they are now; ends when it serves. @throws Error */
  readonly deliver: (image: MadeImage, signal: AbortSignal) => Promise<void>
  /** Whether deliveries run something of the image beside what changes are brought to: a migration. */
  readonly runsImage: () => boolean
  /** Runs a step of the project on this machine. @throws Error with its last lines */
  readonly step: (step: Development['steps'][number], signal: AbortSignal) => Promise<void>
  /** What runs there, in words, where it is not what this session delivered last. @throws Error */
  readonly inPlaceOfIt: () => Promise<string | undefined>
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
  /** Absolute paths of files that say how it is delivered. */
  readonly manifests: readonly string[]
  /** undefined: each change makes another image. */
  readonly development: Development | undefined
  /** Whether the process is started again after a change. */
  readonly restarts: boolean
  /** What runs at the end stays, with all changes in its image. */
  readonly keep: boolean
  readonly work: SessionWork
  readonly report: SessionReport
}

/** How often it is looked whether agents are still there. */
export const heartbeatMs = 5_000

export class DevelopmentSession {
  private readonly options: SessionOptions
  private readonly stopped = new AbortController()
  /** What the images of this session were made of. */
  private readonly images = new Map<string, FileStates>()
  private readonly instances: Instances
  private image: MadeImage | undefined
  /** Whether changes were brought into containers that no image has. */
  private isAheadOfImage = false
  private files: FileStates = new Map()
  private delivery: { readonly end: AbortController; readonly over: Promise<void> } | undefined
  private needs = new Set<Need | 'restart'>()
  private wake = Promise.withResolvers<void>()
  private logs = new AbortController()
  private lastLineAt = ''
  private changedAtMs = 0
  private hasDelivered = false
  /** The cluster does not answer, and that was told. */
  private isAway = false

  constructor(options: SessionOptions) {
    this.options = options
    const { report, clock } = options
    this.instances = new Instances({
      ...options,
      madeOf: build => this.images.get(build),
      agent: () => this.image?.agent ?? [],
      files: () => this.files,
      brought: text =>
        report.done(text === 'started again' ? text : `${text} in ${seconds(clock.now() - this.changedAtMs)}`),
      processEnded: reason =>
        report.trouble(`the process ${reason}; waiting for the next change (Enter starts it again)`),
      lost: () => void this.lookWhatRuns(),
    })
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
    this.need(['image'])
    while (!this.stopped.signal.aborted) {
      await this.wake.promise
      this.wake = Promise.withResolvers()
      if (this.stopped.signal.aborted) break
      const { needs } = this
      this.needs = new Set()
      try {
        await this.satisfy(needs)
      } catch (error) {
        this.failed(error as Error)
      }
    }
    timer?.cancel()
    await (this.options.keep ? this.leave() : this.endDelivery('the work on it ended'))
    this.logs.abort()
    this.instances.close()
  }

  /** Something below the inputs, or a manifest, changed. */
  changed(paths: readonly string[]): void {
    const { manifests, development } = this.options
    this.changedAtMs = this.options.clock.now()
    this.need(neededFor(paths, { manifests, making: development?.making ?? [], syncable: development !== undefined }))
  }

  restart(): void {
    this.need(['restart'])
  }

  stop(): void {
    this.stopped.abort()
    this.wake.resolve()
  }

  private need(needs: readonly (Need | 'restart')[]): void {
    for (const need of needs) this.needs.add(need)
    if (needs.length > 0) this.wake.resolve()
  }

  private failed(error: Error): void {
    if (this.stopped.signal.aborted) return
    this.options.report.trouble(`${error.message}\nwaiting for the next change`)
  }

  private async satisfy(needs: ReadonlySet<Need | 'restart'>): Promise<void> {
    if (needs.has('image') || this.image === undefined) {
      await this.makeImage()
      return this.deliver()
    }
    if (needs.has('files')) await this.bringFiles(this.options.development!)
    else if (needs.has('restart')) await this.instances.restart()
    if (!needs.has('delivery')) return
    if (this.isAheadOfImage && this.options.work.runsImage()) await this.makeImage()
    await this.deliver()
  }

  private async bringFiles({ roots, steps }: Development): Promise<void> {
    const { report, work } = this.options
    for (const step of steps) {
      report.working(step.command.join(' '))
      await work.step(step, this.stopped.signal)
    }
    const before = this.files
    this.files = await fileStates(roots(), before)
    this.isAheadOfImage ||= changesBetween(before, this.files).length > 0
    await this.instances.bringAll()
    if (this.delivery !== undefined || this.instances.areThere) return
    const other = await this.whatElseRuns()
    if (other === undefined) return report.trouble('no instance takes the change just now; one that comes gets it')
    report.trouble(`${other}; delivering yours again`)
    await this.makeImage()
    await this.deliver()
  }

  private async makeImage(signal = this.stopped.signal): Promise<void> {
    const { development, work } = this.options
    const states = development === undefined ? new Map() : await fileStates(development.roots(), this.files)
    const build = fingerprint(states)
    this.images.set(build, states)
    this.image = await work.build(build, signal)
    this.isAheadOfImage = false
    this.files = states
    // What was changed meanwhile, and what the build itself wrote.
    if (development !== undefined) this.files = await fileStates(development.roots(), states)
  }

  /** The delivery goes on by itself, so that a service that does not start can be changed. */
  private async deliver(): Promise<void> {
    // With mistakes in it, what runs goes on and takes changes.
    this.options.work.check()
    await this.endDelivery('a newer change')
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
      await this.instances.linkAll()
      report.done(this.hasDelivered ? `delivered, ${seconds(clock.now() - begunAtMs)} after the change` : 'delivered')
      this.hasDelivered = true
    } catch (error) {
      if (signal.aborted) return
      // The next change delivers anew.
      this.image = undefined
      report.trouble(`${(error as Error).message}\nwaiting for the next change`)
    }
  }

  /** @param by what, as its history tells */
  private async endDelivery(by: string): Promise<void> {
    this.delivery?.end.abort(new Interruption(by))
    await this.delivery?.over
  }

  /** Whatever comes up from now on has all that was changed, without anybody who brings it. */
  private async leave(): Promise<void> {
    const { report, work } = this.options
    await this.delivery?.over
    if (!this.isAheadOfImage || this.image === undefined) return
    report.working('making an image of what was changed')
    const { signal } = new AbortController()
    try {
      await this.makeImage(signal)
      await work.deliver(this.image, signal)
      report.done('delivered with all changes in its image')
    } catch (error) {
      report.trouble(`${(error as Error).message}\nwhat was changed is in no image, and goes with its container`)
    }
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
          else void this.instances.announced(line.instance, JSON.parse(line.text.slice(startMark.length)) as AgentStart)
        }
      } catch (error) {
        if (signal.aborted) continue
        this.away(error as Error)
      }
      if (!this.stopped.signal.aborted) await new Promise<void>(resolve => clock.after(heartbeatMs, () => resolve()))
    }
  }

  /** A machine that slept, a broken network, a cluster that is down. */
  private async lookAtAgents(): Promise<void> {
    const areWell = await this.instances.answer()
    if ((areWell && this.instances.areThere && !this.isAway) || this.stopped.signal.aborted) return
    if (!areWell) this.logs.abort()
    try {
      await this.instances.linkAll()
    } catch (error) {
      return this.away(error as Error)
    }
    if (this.isAway) this.options.report.done('the cluster answers again')
    this.isAway = false
  }

  private away({ message }: Error): void {
    if (this.isAway || this.stopped.signal.aborted) return
    this.isAway = true
    this.options.report.trouble(`${message}\nthe cluster is asked again, and gets what is changed meanwhile`)
  }

  /** Somebody else may have delivered the service. */
  private async lookWhatRuns(): Promise<void> {
    if (this.delivery !== undefined || this.image === undefined) return
    const other = await this.whatElseRuns()
    if (other === undefined || this.delivery !== undefined || this.stopped.signal.aborted) return
    this.image = undefined
    this.options.report.trouble(`${other}; the next change, or Enter, delivers yours again`)
  }

  /** As far as the cluster answers. */
  private whatElseRuns(): Promise<string | undefined> {
    return this.options.work.inPlaceOfIt().catch(() => undefined)
  }
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
