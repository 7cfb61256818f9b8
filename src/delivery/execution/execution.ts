// Carries out the steps of a release, and takes them back in reverse order. The record is written before each step, and
// with that what was done before it, so that whoever comes after a process that was killed knows what may have been
// begun; the last step's end is written with that of the release. It knows no kind of step.
import { DeployError } from '../deploy-error.ts'
import { LedgerConflict, type Ledger } from '../engine/ledger.ts'
import type { Place } from '../engine/parts.ts'
import { formatTime } from '../../lib/clock.ts'
import type { Step } from '../plan/step.ts'
import type { RecordedRelease, Release, StepRecord } from '../release.ts'
import { StepFailure, type StepContext, type StepHandler, type StepHandlers } from './step-handler.ts'
import { watchOf } from './watch-of.ts'
import type { World } from './world.ts'

export interface ExecutionOptions {
  readonly world: World
  readonly handlers: StepHandlers
  /** Ends the way forward with its reason. */
  readonly interrupted: AbortSignal
  /** Ends everything with its reason: somebody else delivers by now. */
  readonly lost: AbortSignal
}

export class Execution {
  private recorded: RecordedRelease
  private readonly options: ExecutionOptions

  constructor(recorded: RecordedRelease, options: ExecutionOptions) {
    this.recorded = recorded
    this.options = options
  }

  get release(): Release {
    return this.recorded.content
  }

  /**
   * What was done last is not recorded yet: `end` does it.
   * @throws StepFailure of the step that failed, or the reason of the signal that ended it
   */
  async forward(): Promise<void> {
    const signal = AbortSignal.any([this.options.interrupted, this.options.lost])
    for (const step of this.release.steps) {
      if (this.recordOf(step)?.state === 'done') continue
      signal.throwIfAborted()
      await this.mark(step, 'begun')
      await this.within(step, signal, context => this.handler(step).do(step, context))
      this.changed(step, { ...this.recordOf(step), state: 'done' })
      this.options.world.report.step(step.title)
    }
  }

  /** @throws StepFailure of the step that could not be undone; those before it stay as they are */
  async back(reason: string): Promise<void> {
    await this.write({ reason, course: { ...this.release.course, direction: 'back' } })
    for (const step of this.release.steps.toReversed()) {
      const state = this.recordOf(step)?.state
      if (state === undefined || state === 'undone') continue
      this.options.world.report.waiting(`taking back: ${step.title}`)
      try {
        await this.within(step, this.options.lost, context => this.handler(step).undo(step, context))
      } catch (error) {
        throw this.options.lost.aborted ? error : failureOf(step, error)
      }
      await this.mark(step, 'undone')
    }
  }

  /** Records what became of the release. */
  async end(change: Partial<Release>): Promise<void> {
    await this.write(change)
  }

  private recordOf(step: Step): StepRecord | undefined {
    return this.release.course.steps[step.id]
  }

  private handler(step: Step): StepHandler<Step> {
    return this.options.handlers[step.kind] as StepHandler<Step>
  }

  /** The step's time is its own, not that of the one before. */
  private async within(step: Step, signal: AbortSignal, work: (context: StepContext) => Promise<void>): Promise<void> {
    const { world } = this.options
    const late = new AbortController()
    const limit = new StepFailure(`${step.title}: not finished after ${step.timeLimitSeconds} seconds`)
    const timer = world.clock.after((step.timeLimitSeconds + graceSeconds) * 1000, () => late.abort(limit))
    const all = AbortSignal.any([signal, late.signal])
    const aborted = Promise.withResolvers<never>()
    aborted.promise.catch(() => {})
    all.addEventListener('abort', () => aborted.reject(all.reason as Error), { once: true })
    const context: StepContext = {
      world,
      watch: watchOf(world.report, step.timeLimitSeconds, all),
      note: this.recordOf(step)?.note,
      keepNote: async note => {
        this.changed(step, { ...this.recordOf(step)!, note })
        await this.write({})
      },
    }
    const working = work(context)
    try {
      await Promise.race([working, aborted.promise])
    } catch (error) {
      // What it asked for is still on its way: undoing comes behind it, not before.
      if (all.aborted && !this.options.lost.aborted) await this.ended(working)
      throw error
    } finally {
      timer.cancel()
    }
  }

  private async ended(working: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>()
    const timer = this.options.world.clock.after(graceSeconds * 1000, late.resolve)
    await Promise.race([working.catch(() => {}), late.promise])
    timer.cancel()
  }

  private async mark(step: Step, state: StepRecord['state']): Promise<void> {
    this.changed(step, { ...this.recordOf(step), state })
    await this.write({})
  }

  private changed(step: Step, record: Omit<StepRecord, 'at'>): void {
    const { course } = this.release
    const at = formatTime(this.options.world.clock.now())
    const content: Release = {
      ...this.release,
      course: { ...course, steps: { ...course.steps, [step.id]: { ...record, at } } },
    }
    this.recorded = { ...this.recorded, content }
  }

  private async write(change: Partial<Release>): Promise<void> {
    const content: Release = { ...this.release, ...change }
    const { world, lost } = this.options
    this.recorded = (await world.engine.ledger.write(
      world.place,
      { ...this.recorded, state: content.state, content },
      { progress: text => world.report.waiting(text), signal: lost },
    )) as RecordedRelease
  }
}

/** The engine ends its own waits at the limit, with more to tell; this is for what does not. */
const graceSeconds = 10

/** Which step it was, too. */
function failureOf({ title }: Step, error: unknown): StepFailure {
  const { message } = error as Error
  const words = error instanceof StepFailure ? error.lastWords : []
  return new StepFailure(message.includes(title) ? message : `${title}: ${message}`, words)
}

/** Records a release before anything is changed for it. */
export async function record(ledger: Ledger, place: Place, release: Release): Promise<RecordedRelease> {
  const { revision, state } = release
  try {
    return (await ledger.add(place, { revision, state, content: release })) as RecordedRelease
  } catch (error) {
    if (!(error instanceof LedgerConflict)) throw error
    throw new DeployError(
      `somebody else began release ${revision} of "${release.service}" just now; look at it and try again`,
    )
  }
}
