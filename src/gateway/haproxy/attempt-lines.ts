// How long an answer may take, and when a request is sent again, as lines of a backend. Pure.
import type { Backend, Handling } from '../model/model.ts'

/** After these answers HAProxy can send a request again. Source: HAProxy's configuration manual 2.6, `retry-on`. */
export const retriableCodes: readonly number[] = [401, 403, 404, 408, 425, 500, 501, 502, 503, 504]

const connectMs = 5_000
const queueMs = 30_000

export const attemptLines = ({ timeoutMs, retry }: Pick<Handling, 'timeoutMs' | 'retry'>): readonly string[] => [
  ...(timeoutMs === undefined
    ? []
    : [`timeout server ${timeoutMs}ms`, `timeout connect ${Math.min(timeoutMs, connectMs)}ms`]),
  ...(retry === undefined
    ? []
    : [
        `retries ${retry.attempts}`,
        // Each time at another server, where there is one.
        'option redispatch 1',
        `retry-on ${['conn-failure', 'empty-response', 'junk-response', ...retry.codes.flatMap(reasonsOf)].join(' ')}`,
      ]),
]

/** For an instance that is free. */
export function waitLines({
  handling: { timeoutMs },
  balancing,
}: Pick<Backend, 'handling' | 'balancing'>): readonly string[] {
  const waitMs = balancing?.concurrency?.waitMs
  return timeoutMs === undefined && waitMs === undefined
    ? []
    : [`timeout queue ${Math.min(timeoutMs ?? Infinity, waitMs ?? queueMs)}ms`]
}

function reasonsOf(code: number): readonly string[] {
  if (!retriableCodes.includes(code)) return []
  // The gateway's own 504 is one as well.
  return code === 504 ? ['504', 'response-timeout'] : [String(code)]
}
