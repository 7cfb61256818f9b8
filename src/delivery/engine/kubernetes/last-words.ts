// What a failing pod has to say: the last lines of its log and what the cluster reports of it.
import { events } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Clock } from '../../../lib/clock.ts'
import { podLog, type LogClient, type LogSource, type TimedLine } from './pod-log.ts'
import { newestFirst } from './standstill.ts'

const shownLines = 20
const shownEvents = 5
const withinMs = 5_000

export interface Failing {
  readonly namespace: string
  readonly pod?: string
  readonly container?: string
  /** The run before has the telling log. */
  readonly previous?: boolean
}

/** Going back is more urgent than words that do not come. */
export async function lastWords(
  client: Client & LogClient,
  clock: Clock,
  { namespace, pod, container, previous = false }: Failing,
): Promise<readonly string[]> {
  if (pod === undefined) return []
  const stop = new AbortController()
  const timer = clock.after(withinMs, () => stop.abort())
  const late = new Promise<undefined>(resolve => {
    stop.signal.addEventListener('abort', () => resolve(undefined))
  })
  try {
    const [log, told] = await Promise.all([
      container === undefined
        ? []
        : Promise.race([
            lastLines(client, { namespace, pod, container }, { previous, tail: shownLines }, stop.signal),
            late,
          ]),
      Promise.race([eventsAbout(client, namespace, pod), late]),
    ])
    return [
      ...(told === undefined || told.length === 0 ? [] : [`events about ${pod}:`, ...told.map(text => `  ${text}`)]),
      ...(log === undefined || log.length === 0
        ? container === undefined
          ? []
          : [`${pod} wrote no log`]
        : [`last lines of ${pod}:`, ...log.map(text => `  | ${text}`)]),
    ]
  } finally {
    timer.cancel()
    stop.abort()
  }
}

/** None where there is no log to read. */
export async function lastLines(
  client: LogClient,
  source: LogSource,
  query: { readonly previous?: boolean; readonly tail: number },
  signal: AbortSignal,
): Promise<string[]> {
  const lines: TimedLine[] = []
  try {
    for await (const line of podLog(client, source, query, signal)) lines.push(line)
  } catch {
    // A pod that did not start, or that is gone, has none.
  }
  return lines.map(({ text }) => text)
}

async function eventsAbout(client: Client, namespace: string, pod: string): Promise<string[]> {
  const fieldSelector = `involvedObject.name=${pod},type=Warning`
  const found = await client.list(events, { namespace, fieldSelector }).catch(() => undefined)
  const texts = newestFirst(found?.items ?? []).map(({ reason = '', message = '' }) => `${reason}: ${message.trim()}`)
  return [...new Set(texts)].slice(0, shownEvents)
}
