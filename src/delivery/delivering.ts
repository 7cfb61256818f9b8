// One delivery at a time: takes the service's lease, looks at what there is, takes back or finishes what somebody else
// left half-way, records a release, and carries out its steps; on failure or interruption everything is taken back.
import { DeployError, Interruption } from './deploy-error.ts'
import type { Taker } from './engine/ledger.ts'
import type { Bundle, Place } from './engine/parts.ts'
import { Execution, record, type ExecutionOptions } from './execution/execution.ts'
import { StepFailure } from './execution/step-handler.ts'
import { withoutSecrets } from './execution/without-secrets.ts'
import type { News, World } from './execution/world.ts'
import { forgetOld, isWorkedOn, setState, situationOf, type Situation } from './history.ts'
import type { PlannedRelease, RecordedRelease, Release } from './release.ts'
import { stepHandlers } from './steps/step-handlers.ts'
import { formatTime } from '../lib/clock.ts'

export interface DeliveryOptions extends Omit<World, 'place' | 'release'>, Pick<Taker, 'deployer' | 'isGone'> {
  /** How long instances may take to be ready. */
  readonly timeLimitSeconds: number
  /** Takes the delivery back when it fires; its reason is an `Interruption`. */
  readonly signal: AbortSignal
  readonly group?: string
  /** See `Release`. */
  readonly development?: boolean
}

/** What a release is made from beside its plan. */
export interface Plan {
  readonly planned: PlannedRelease
  /** New ones of it. */
  readonly bundles: readonly Bundle[]
  readonly rollbackTo?: number
}

/** @throws DeployError when somebody else delivers the service, or with what the work fails with */
export async function delivering<T>(
  place: Place,
  options: DeliveryOptions,
  work: (delivery: Delivery) => Promise<T>,
): Promise<T> {
  const { engine, report, deployer, isGone, signal } = options
  try {
    const waiting = (text: string): void => report.waiting(text)
    const lease = await engine.ledger.take(place, { deployer, isGone, waiting, signal })
    try {
      signal.throwIfAborted()
      return await work(new Delivery(place, options, lease.lost, await situationOf(engine, place)))
    } finally {
      await lease.release()
    }
  } catch (error) {
    throw error instanceof Interruption ? new DeployError(`${error.message} before anything was changed`) : error
  }
}

/** Of a release that is to go: what stands in the way, and what there is to do. */
export class NotTakenBack extends DeployError {}

export class Delivery {
  private seen: Situation
  private readonly place: Place
  private readonly options: DeliveryOptions
  /** Fires when somebody else delivers by now. */
  readonly lost: AbortSignal

  constructor(place: Place, options: DeliveryOptions, lost: AbortSignal, situation: Situation) {
    this.place = place
    this.options = options
    this.lost = lost
    this.seen = situation
  }

  get situation(): Situation {
    return this.seen
  }

  /** What nobody is behind any more is taken back. @returns it, as it is recorded then */
  async takeBackInterrupted(): Promise<Release | undefined> {
    const { pending } = this.seen
    if (pending === undefined) return undefined
    const { revision, version } = pending.content
    this.options.report.note(`release ${revision} (${version}) was interrupted half-way; taking it back`)
    const reason = pending.content.reason ?? 'the command that delivered it did not live to its end'
    const execution = this.execution(pending)
    await this.takeBackOrTell(execution, reason)
    this.seen = await situationOf(this.options.engine, this.place)
    return execution.release
  }

  /** Goes on where a delivery was interrupted: forward, or back if it had turned round. */
  async finishInterrupted(): Promise<Release> {
    const { pending } = this.seen
    if (pending === undefined)
      throw new DeployError(`no delivery of "${this.place.service}" to ${this.place.environment} was interrupted`)
    const { revision, version, course, reason } = pending.content
    if (course.direction === 'forward') {
      this.options.report.note(`going on with release ${revision} (${version})`)
      return this.carryOut(this.execution(pending))
    }
    this.options.report.note(`release ${revision} (${version}) had failed; taking back the rest of it`)
    await this.takeBackOrTell(this.execution(pending), reason ?? 'it was interrupted')
    throw new DeployError(`release ${revision} (${version}) had failed (${reason}) and was taken back`)
  }

  /** Takes back what runs; the release before runs again. */
  async takeBackPresent(reason: string): Promise<void> {
    const { engine } = this.options
    const present = this.seen.releases.find(({ content }) => content.state === 'deployed')
    if (present === undefined) return
    const before = this.seen.releases.find(
      ({ revision, content }) => revision < present.revision && content.state === 'superseded',
    )
    // As long as both are, the newer one is what runs.
    if (before !== undefined) await setState(engine, this.place, before, 'deployed')
    const pending = await setState(engine, this.place, present, 'pending')
    await this.takeBackOrTell(this.execution(pending), reason)
    this.seen = await situationOf(engine, this.place)
  }

  /** Brings what was planned. @throws DeployError when it failed and was taken back */
  async bring({ planned, bundles, rollbackTo }: Plan): Promise<Release> {
    const { clock, deployer, group, development, report } = this.options
    const release: Release = {
      ...this.place,
      ...planned,
      revision: this.seen.nextRevision,
      state: 'pending',
      at: formatTime(clock.now()),
      by: deployer,
      ...(rollbackTo !== undefined && { rollbackTo }),
      ...(group !== undefined && { group }),
      ...(rollbackTo === undefined && development && { development }),
      ...(rollbackTo !== undefined && isWorkedOn(this.seen.present) && { endsDevelopment: true }),
      course: { direction: 'forward', steps: {} },
    }
    const recorded = await this.recorded(release, bundles)
    const { revision, service, version, environment } = release
    report.step(
      rollbackTo === undefined
        ? `release ${revision}: ${service} ${version} to ${environment}`
        : `release ${revision}: ${service} back to release ${rollbackTo} (${version}) in ${environment}`,
    )
    return this.carryOut(this.execution(recorded))
  }

  /** @throws DeployError; nothing that runs was changed then */
  private async recorded(release: Release, bundles: readonly Bundle[]): Promise<RecordedRelease> {
    const { engine } = this.options
    try {
      // A bundle to which no release refers does no harm; a release without its bundle would.
      for (const bundle of bundles) await engine.keep(this.place, bundle)
      return await record(engine.ledger, this.place, release)
    } catch (error) {
      if (error instanceof DeployError) throw error
      throw new DeployError(
        `release ${release.revision} of "${release.service}" could not be recorded, so it was not begun: ${(error as Error).message}`,
      )
    }
  }

  private execution(recorded: RecordedRelease): Execution {
    const { version, revision, by } = recorded.content
    const { signal: interrupted, ...options } = this.options
    const world: World = { ...options, place: this.place, release: { version, revision, by } }
    const execution: ExecutionOptions = { world, handlers: stepHandlers, interrupted, lost: this.lost }
    return new Execution(recorded, execution)
  }

  private async carryOut(execution: Execution): Promise<Release> {
    try {
      await execution.forward()
    } catch (error) {
      if (this.lost.aborted) throw error
      throw await this.failed(execution, error as Error)
    }
    await this.settle(execution)
    return execution.release
  }

  private async failed(execution: Execution, error: Error): Promise<DeployError> {
    const { service, version } = execution.release
    const lines = [
      `${service} ${version} was not delivered: ${error.message}`,
      ...(await this.wordsOf(error, execution)),
    ]
    try {
      await this.takeBack(execution, error.message)
      lines.push(await this.whatIsThere())
    } catch (failure) {
      if (this.lost.aborted) throw failure
      lines.push(`taking it back failed as well: ${(failure as Error).message}`)
      lines.push(...(await this.staysHalfWay(execution, failure as Error)))
    }
    return new DeployError(lines.join('\n'))
  }

  /** Of a release that another process began, or that ran already. @throws NotTakenBack */
  private async takeBackOrTell(execution: Execution, reason: string): Promise<void> {
    try {
      await this.takeBack(execution, reason)
    } catch (failure) {
      if (this.lost.aborted) throw failure
      const { revision, version, service } = execution.release
      const words = await this.staysHalfWay(execution, failure as Error)
      throw new NotTakenBack(
        [`release ${revision} (${version}) of "${service}" could not be taken back: ${(failure as Error).message}`]
          .concat(words)
          .join('\n'),
      )
    }
  }

  private async staysHalfWay(execution: Execution, failure: Error): Promise<string[]> {
    const { revision, environment, service } = execution.release
    return [
      ...(await this.wordsOf(failure, execution)),
      `release ${revision} stays half-way; to take the rest of it back: sampan rollback -e ${environment} ${service}`,
    ]
  }

  /** Going back, it is the release before that speaks. */
  private async wordsOf(error: unknown, { release }: Execution): Promise<readonly string[]> {
    if (!(error instanceof StepFailure)) return []
    const bundles = [...release.bundles, ...(this.seen.present?.bundles ?? [])]
    return withoutSecrets(this.options.engine, this.place, bundles, error.lastWords)
  }

  private async takeBack(execution: Execution, reason: string): Promise<void> {
    await execution.back(reason)
    await execution.end({ state: 'failed', reason })
    const { service, environment, version, revision, by, notify } = execution.release
    const news: News = { event: 'failed', service, environment, version, revision, by, reason }
    for (const hook of notify)
      await this.options
        .tell(hook, news)
        .catch((error: unknown) =>
          this.options.report.note(`the hook "${hook}" could not be told: ${(error as Error).message}`),
        )
  }

  private async whatIsThere(): Promise<string> {
    const { present } = this.seen
    if (present !== undefined) return `release ${present.revision} (${present.version}) is in place as before`
    return `everything that it made was taken away again; there is no release before it${await this.whatStays()}`
  }

  /** Of a first release that was taken back: where it is recorded, which goes on command alone. */
  async whatStays(): Promise<string> {
    const { environment, namespace, service } = this.place
    const { engine } = this.options
    const there = await engine.services(environment, namespace).catch(() => undefined)
    if (there === undefined || there.some(other => other !== service)) return ''
    return `\nthe namespace ${namespace} stays with the record of it (sampan history -e ${environment} ${service}); to take that away too: sampan env delete ${environment}`
  }

  private async settle(execution: Execution): Promise<void> {
    const { engine, report } = this.options
    const { revision, service, environment } = execution.release
    try {
      await execution.end({ state: 'deployed' })
    } catch (error) {
      if (this.lost.aborted) throw error
      throw new DeployError(
        `every step is done, but that could not be recorded: ${(error as Error).message}\nto record it: sampan deploy -e ${environment} ${service} --resume`,
      )
    }
    try {
      for (const older of this.seen.releases)
        if (older.content.state === 'deployed' && older.revision !== revision)
          await setState(engine, this.place, older, 'superseded')
      await forgetOld(engine, this.place)
    } catch (error) {
      // The next delivery does it.
      report.note(`old releases could not be forgotten: ${(error as Error).message}`)
    }
  }
}
