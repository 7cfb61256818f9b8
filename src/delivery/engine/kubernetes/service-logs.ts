// The lines of all instances of a service as one log, in the order of their times. Logs that have ended are merged line by
// line; of those that go on, lines wait a moment for the ones of other instances that are earlier.
import type { Pod } from '../../../api/generated/models.ts'
import { pods } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { isFinished } from '../../../control/pods.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { LogLine, LogsWanted } from '../engine.ts'
import type { Place } from '../parts.ts'
import { label, labelValue, partNameOf, selectorText, serviceLabels } from './labels.ts'
import { keepLive } from './live-list.ts'
import { hasBegun, mainContainer } from './main-container.ts'
import { followLog, podLog, type LogClient, type LogSource } from './pod-log.ts'

/** As long as lines take from an instance to here, give or take. */
const settleMs = 250

type Source = LogSource & { readonly namespace: string }

export function serviceLogs(
  client: Client & LogClient,
  clock: Clock,
  place: Place,
  wanted: LogsWanted,
): AsyncIterable<LogLine> {
  return wanted.follow && !wanted.previous
    ? new FollowedLogs(client, clock, place, wanted).lines()
    : mergedLogs(client, place, wanted)
}

/** Instances have a track, runs of schedules a task, and other runs neither. */
function selectionOf(
  { namespace, service }: Place,
  { task }: LogsWanted,
): { readonly namespace: string; readonly labelSelector: string } {
  const which = task === undefined ? label.track : selectorText({ [label.task]: labelValue(task) })
  return { namespace, labelSelector: `${selectorText(serviceLabels(labelValue(service)))},${which}` }
}

const isWanted = ({ metadata }: Pod, { task, workloads }: LogsWanted): boolean =>
  task !== undefined || workloads === undefined || workloads.includes(partNameOf(metadata))

const sourceOf = (namespace: string, pod: Pod): Source => ({
  namespace,
  pod: pod.metadata.name,
  container: mainContainer(pod),
})

async function* mergedLogs(client: Client & LogClient, place: Place, wanted: LogsWanted): AsyncIterable<LogLine> {
  const { items } = await client.list(pods, selectionOf(place, wanted))
  const { previous, sinceSeconds, tail, signal } = wanted
  const query = { previous, ...(sinceSeconds !== undefined && { sinceSeconds }), ...(tail !== undefined && { tail }) }
  const logs = items
    .filter(pod => isWanted(pod, wanted))
    .map(pod => instanceLog(client, sourceOf(place.namespace, pod), query, signal)[Symbol.asyncIterator]())
  const heads = await Promise.all(logs.map(log => log.next()))
  try {
    for (;;) {
      let first = -1
      for (const [index, head] of heads.entries())
        if (!head.done && (first < 0 || head.value.at < (heads[first]!.value as LogLine).at)) first = index
      if (first < 0) return
      yield heads[first]!.value as LogLine
      heads[first] = await logs[first]!.next()
    }
  } finally {
    await Promise.all(logs.map(log => log.return(undefined)))
  }
}

/** None where there is no log: an instance that did not begin, or one without a run before. */
async function* instanceLog(
  client: LogClient,
  source: Source,
  query: Parameters<typeof podLog>[2],
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  try {
    for await (const line of podLog(client, source, query, signal)) yield { instance: source.pod, ...line }
  } catch (error) {
    if (!signal.aborted && !isNoLog(error)) throw error
  }
}

const isNoLog = (error: unknown): boolean => {
  const { code } = error as { readonly code?: number }
  return code === 400 || code === 404
}

class FollowedLogs {
  private readonly client: Client & LogClient
  private readonly clock: Clock
  private readonly place: Place
  private readonly wanted: LogsWanted
  /** By the uid of the pod; each fires when nothing more will be written. */
  private readonly followed = new Map<string, AbortController>()
  private waiting: LogLine[] = []
  private wake = Promise.withResolvers<void>()
  private failure: unknown

  constructor(client: Client & LogClient, clock: Clock, place: Place, wanted: LogsWanted) {
    this.client = client
    this.clock = clock
    this.place = place
    this.wanted = wanted
  }

  async *lines(): AsyncIterable<LogLine> {
    const end = new AbortController()
    const signal = AbortSignal.any([this.wanted.signal, end.signal])
    signal.addEventListener('abort', () => this.wake.resolve(), { once: true })
    void this.follow(signal)
    try {
      while (!signal.aborted && this.failure === undefined) {
        await this.wake.promise
        this.wake = Promise.withResolvers()
        if (signal.aborted) this.wake.resolve()
        const batch = this.waiting.toSorted((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0))
        this.waiting = []
        yield* batch
      }
      if (this.failure !== undefined) throw this.failure
    } finally {
      end.abort()
    }
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const live = { client: this.client, clock: this.clock, signal }
    let isFirst = true
    try {
      await keepLive(live, { resource: pods, ...selectionOf(this.place, this.wanted) }, found => {
        const wanted = found.filter(pod => isWanted(pod, this.wanted))
        const going = new Set(wanted.filter(pod => !isFinished(pod)).map(({ metadata }) => metadata.uid))
        for (const [uid, ended] of this.followed) if (!going.has(uid)) ended.abort()
        for (const pod of wanted) this.begin(pod, isFirst, signal)
        isFirst = false
      })
    } catch (error) {
      this.fail(error)
    }
  }

  /** Of instances that come later, everything is wanted. */
  private begin(pod: Pod, isFirst: boolean, signal: AbortSignal): void {
    const { uid } = pod.metadata
    if (this.followed.has(uid) || (!hasBegun(pod) && !isFirst)) return
    const ended = new AbortController()
    if (isFinished(pod)) ended.abort()
    this.followed.set(uid, ended)
    const { sinceSeconds, tail } = this.wanted
    const query = isFirst
      ? { ...(sinceSeconds !== undefined && { sinceSeconds }), ...(tail !== undefined && { tail }) }
      : {}
    this.take(pod, query, { ended: ended.signal, signal }).catch((error: unknown) => {
      // It may go while it is read.
      if (!signal.aborted && !isNoLog(error)) this.fail(error)
    })
  }

  private async take(
    pod: Pod,
    query: Parameters<typeof followLog>[3],
    until: Parameters<typeof followLog>[4],
  ): Promise<void> {
    const source = sourceOf(this.place.namespace, pod)
    for await (const line of followLog(this.client, this.clock, source, query, until)) {
      if (this.waiting.length === 0) this.clock.after(settleMs, () => this.wake.resolve())
      this.waiting.push({ instance: source.pod, ...line })
    }
  }

  private fail(error: unknown): void {
    this.failure = error
    this.wake.resolve()
  }
}
