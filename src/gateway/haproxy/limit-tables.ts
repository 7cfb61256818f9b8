// The tables in which requests are counted, one for each limit, whoever is held to it. They begin anew when HAProxy is loaded
// anew: what 2.6 does about that (peers) brings nothing over. Pure.
import type { Backend } from '../model/model.ts'
import { limitsOf } from '../model/policing.ts'

/** Longer ones are counted by their beginning. */
const keyBytes = 128
const mostKeys = 100_000

export function tableLines(backends: ReadonlyMap<string, Backend>): readonly string[] {
  const limits = new Map(
    [...backends.values()]
      .flatMap(({ handling }) => limitsOf(handling.policies ?? []))
      .map(limit => [limit.id, limit] as const),
  )
  return Array.from(limits.values(), ({ id, periodMs, by }) => [
    '',
    `backend ${id}`,
    `stick-table type ${by === 'address' ? 'ipv6' : `string len ${keyBytes}`} size ${mostKeys} expire ${2 * periodMs}ms store gpc0,gpc0_rate(${periodMs}ms)`,
  ]).flat()
}
