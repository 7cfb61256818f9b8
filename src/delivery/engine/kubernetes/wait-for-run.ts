// Waits for the end of a Job while its output passes by, and ends it when it is certain that it can never begin: what
// was given up must not start after all when there is room for it later.
import type { CoreEvent, Job, Pod } from '../../../api/generated/models.ts'
import { events, jobs, pods } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { isFinished } from '../../../control/pods.ts'
import type { Clock, Timer } from '../../../lib/clock.ts'
import type { RunResult, Watch } from '../engine.ts'
import { HeldUp } from './held-up.ts'
import { annotation } from './labels.ts'
import { keepLive } from './live-list.ts'
import { hasBegun, mainContainer } from './main-container.ts'
import { followLog, type LogClient } from './pod-log.ts'
import { startFailure } from './rollout-verdict.ts'
import { endOf, newestPod, resultOf } from './run-result.ts'
import { containersOf, latestAbout, podStandstill, refused, type Standstill } from './standstill.ts'

export interface RunOptions {
  readonly client: Client & LogClient
  readonly clock: Clock
  readonly job: Job
  readonly watch: Watch
}

const keptLines = 200
/** The end of a log comes with the end of its container, or not at all. */
const lateOutputMs = 5_000
/** A Job that was told to end does so when the cluster works. */
const endingMs = 30_000

/** @throws the reason of the watch's signal when that fires; the run goes on then */
export async function waitForRun(options: RunOptions): Promise<RunResult> {
  const { signal } = options.watch
  signal.throwIfAborted()
  const end = new AbortController()
  const wait = new RunWait(options, end.signal)
  const stop = (): void => wait.fail(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const result = await wait.ended
    await wait.restOfOutput()
    return { ...result, lines: wait.lines }
  } finally {
    signal.removeEventListener('abort', stop)
    end.abort()
    wait.close()
  }
}

type Outcome = Omit<RunResult, 'lines'>

/** Of one pod. */
interface Output {
  readonly taken: Promise<void>
  /** Fires when nothing more will be written. */
  readonly ended: AbortController
}

class RunWait {
  readonly ended: Promise<Outcome>
  readonly fail: (error: Error) => void
  readonly lines: string[] = []
  private readonly resolve: (outcome: Outcome) => void
  private readonly options: RunOptions
  private readonly signal: AbortSignal
  private readonly timers = new Set<Timer>()
  private readonly outputs = new Map<string, Output>()
  private job: Job
  private pods: readonly Pod[] | undefined
  private warnings: readonly CoreEvent[] = []
  private givenUp = false
  private told = ''
  private readonly heldUp: HeldUp

  constructor(options: RunOptions, signal: AbortSignal) {
    const { job, clock, watch } = options
    this.options = options
    this.signal = signal
    this.job = job
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    promise.catch(() => {})
    this.ended = promise
    this.resolve = resolve
    this.fail = reject
    this.heldUp = new HeldUp({
      ...options,
      namespace: job.metadata.namespace!,
      fail: ({ reason }) => void this.giveUp(reason),
    })
    const limit = watch.timeLimitSeconds
    this.timers.add(clock.after(limit * 1000, () => void this.giveUp(`it was not done within ${limit} seconds`)))
    this.follow()
  }

  close(): void {
    for (const timer of this.timers) timer.cancel()
    this.heldUp.close()
  }

  /** What a container wrote last may come a little after its end is known. */
  async restOfOutput(): Promise<void> {
    const late = Promise.withResolvers<void>()
    this.timers.add(this.options.clock.after(lateOutputMs, () => late.resolve()))
    const taken = [...this.outputs.values()].map(output => output.taken)
    await Promise.race([Promise.all(taken), late.promise])
  }

  private follow(): void {
    const { namespace = '', name, uid } = this.job.metadata
    const live = { ...this.options, signal: this.signal }
    keepLive(live, { resource: jobs, namespace, fieldSelector: `metadata.name=${name}` }, ([job]) => {
      if (job === undefined || job.metadata.uid !== uid)
        return this.resolve({ exitCode: 1, reason: 'it was deleted before its end' })
      this.job = job
      this.look()
    }).catch(this.fail)
    const labelSelector = `batch.kubernetes.io/job-name=${name}`
    keepLive(live, { resource: pods, namespace, labelSelector }, found => {
      this.pods = found.filter(pod => pod.metadata.ownerReferences?.some(reference => reference.uid === uid))
      this.look()
    }).catch(this.fail)
    // Who may not read events hears less.
    keepLive(live, { resource: events, namespace, fieldSelector: 'type=Warning' }, found => {
      this.warnings = found
      this.look()
    }).catch(() => {})
  }

  private look(): void {
    if (this.pods === undefined) return
    this.endOutputs(this.pods)
    for (const pod of this.pods) this.readOutput(pod)
    if (endOf(this.job) !== undefined) return this.resolve(resultOf(this.job, this.pods))
    const hopeless = this.pods
      .flatMap(containersOf)
      .map(startFailure)
      .find(found => found !== undefined)
    if (hopeless !== undefined) return void this.giveUp(hopeless)
    const cause = this.cause()
    const text = cause?.reason ?? `${this.job.metadata.name} runs`
    if (this.told !== text) this.options.watch.progress((this.told = text))
    this.heldUp.by(cause, text)
  }

  private cause(): Standstill | undefined {
    const newest = newestPod(this.pods ?? [])
    if (newest !== undefined) return hasBegun(newest) ? undefined : podStandstill(newest, this.warnings)
    const told = latestAbout(this.job.metadata.uid, this.warnings).find(({ reason }) => reason === 'FailedCreate')
    return told?.message === undefined ? undefined : refused(told.message)
  }

  /** Whoever asks for this run later is told the same. */
  private async giveUp(reason: string): Promise<void> {
    if (this.givenUp) return
    this.givenUp = true
    const { client, clock } = this.options
    const { namespace, name } = this.job.metadata
    const value = { metadata: { annotations: { [annotation.ended]: reason } }, spec: { activeDeadlineSeconds: 1 } }
    try {
      await client.patch(jobs, { namespace, name }, { type: 'merge', value })
    } catch (error) {
      return this.fail(error as Error)
    }
    this.timers.add(clock.after(endingMs, () => this.resolve({ exitCode: 1, reason })))
  }

  private readOutput(pod: Pod): void {
    const { namespace = '', name } = pod.metadata
    if (!hasBegun(pod) || this.outputs.has(name)) return
    const ended = new AbortController()
    if (isFinished(pod) || endOf(this.job) !== undefined) ended.abort()
    const source = { namespace, pod: name, container: mainContainer(pod) }
    this.outputs.set(name, { taken: this.takeLines(source, ended.signal), ended })
  }

  private endOutputs(pods: readonly Pod[]): void {
    const going = new Set(pods.filter(pod => !isFinished(pod)).map(({ metadata }) => metadata.name))
    for (const [name, { ended }] of this.outputs) if (!going.has(name) || endOf(this.job) !== undefined) ended.abort()
  }

  private async takeLines(source: Parameters<typeof followLog>[2], ended: AbortSignal): Promise<void> {
    const { client, clock, watch } = this.options
    try {
      for await (const { text } of followLog(client, clock, source, {}, { ended, signal: this.signal })) {
        watch.line?.(text)
        this.lines.push(text)
        if (this.lines.length > keptLines) this.lines.shift()
      }
    } catch {
      // Who may not read logs sees how it ended, and no more.
    }
  }
}
