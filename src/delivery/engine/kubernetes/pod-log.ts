// Lines of a container's log with their times, as they come or as they were. A stream that breaks off is taken up again
// where it ended, so that no line is lost and none comes twice.
import { createInterface } from 'node:readline'
import type { HttpClient } from '../../../client/http-client.ts'
import type { Clock } from '../../../lib/clock.ts'
import { pause } from '../pause.ts'

export interface LogSource {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

export interface LogQuery {
  readonly follow?: boolean
  readonly previous?: boolean
  readonly sinceSeconds?: number
  /** Lines after this one only. RFC 3339. */
  readonly after?: string
  readonly tail?: number
}

export interface TimedLine {
  /** RFC 3339 with nanoseconds. */
  readonly at: string
  readonly text: string
}

export type LogClient = Pick<HttpClient, 'raw'>

/** @throws ApiError when there is no such log */
export async function* podLog(
  client: LogClient,
  source: LogSource,
  query: LogQuery,
  signal: AbortSignal,
): AsyncIterable<TimedLine> {
  const response = await client.raw(pathOf(source, query), signal)
  const stop = (): void => void response.destroy()
  signal.addEventListener('abort', stop)
  // What breaks off ends.
  response.on('error', () => {})
  try {
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      const timed = timedLine(line)
      if (query.after === undefined || timed.at > query.after) yield timed
    }
  } finally {
    signal.removeEventListener('abort', stop)
    response.destroy()
  }
}

const againMs = 500
/** One may not, or there is no such pod. */
const refusals: ReadonlySet<unknown> = new Set([401, 403, 404])
const noLog = 400

/** Until the container has ended, as `ended` says, or `signal` fires. */
export async function* followLog(
  client: LogClient,
  clock: Clock,
  source: LogSource,
  query: Omit<LogQuery, 'follow' | 'previous'>,
  { ended, signal }: { readonly ended: AbortSignal; readonly signal: AbortSignal },
): AsyncIterable<TimedLine> {
  let after = query.after
  while (!signal.aborted) {
    const endedBefore = ended.aborted
    try {
      const wanted = after === undefined ? query : { after }
      for await (const line of podLog(client, source, { ...wanted, follow: true }, signal)) {
        after = line.at
        yield line
      }
    } catch (error) {
      if (signal.aborted) return
      const { code } = error as { readonly code?: unknown }
      if (refusals.has(code)) throw error
      // A server that is away comes back; a container that has no log yet is about to start, or has ended without.
      if (code === noLog && endedBefore) return
      await pause(clock, againMs, signal)
      continue
    }
    if (endedBefore) return
    // A stream ends with its container, or breaks off. Which of them it was is known soon.
    await pause(clock, againMs, AbortSignal.any([signal, ended]))
  }
}

function pathOf({ namespace, pod, container }: LogSource, query: LogQuery): string {
  const { follow, previous, sinceSeconds, after, tail } = query
  const parameters = new URLSearchParams({ container, timestamps: 'true' })
  if (follow) parameters.set('follow', 'true')
  if (previous) parameters.set('previous', 'true')
  if (after !== undefined) parameters.set('sinceTime', after)
  else if (sinceSeconds !== undefined) parameters.set('sinceSeconds', String(Math.max(1, Math.ceil(sinceSeconds))))
  if (tail !== undefined) parameters.set('tailLines', String(tail))
  return `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(pod)}/log?${parameters}`
}

const timePattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d) ?/

/** Nodes tell the time of their zone, and some of them without zeros at the end: texts are to sort as times. */
function timedLine(line: string): TimedLine {
  const [found, second = '', fraction = '', zone = 'Z'] = timePattern.exec(line) ?? []
  if (found === undefined) return { at: '', text: line }
  const utc = zone === 'Z' ? second : new Date(`${second}${zone}`).toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)
  return { at: `${utc}.${fraction.padEnd(9, '0')}Z`, text: line.slice(found.length) }
}
