// The tables in which requests are counted, one for each limit, whoever is held to it. Pure.
import type { Backend } from '../model/model.ts'
import { limitsOf, type RateLimit } from '../model/policing.ts'

/** Of a digest, and what stands before it. */
const keyBytes = 64
const mostKeys = 100_000

/** By the names of their tables. */
export const limitTables = (backends: ReadonlyMap<string, Backend>): ReadonlyMap<string, RateLimit> =>
  new Map(
    [...backends.values()]
      .flatMap(({ handling }) => limitsOf(handling.policies ?? []))
      .map(limit => [limit.id, limit] as const),
  )

export function tableLines(limits: ReadonlyMap<string, RateLimit>): readonly string[] {
  return Array.from(limits.values(), ({ id, periodMs, by }) => [
    '',
    `backend ${id}`,
    `stick-table type ${by === 'address' ? 'ipv6' : `string len ${keyBytes}`} size ${mostKeys} expire ${2 * periodMs}ms store gpc0,gpc0_rate(${periodMs}ms)`,
  ]).flat()
}
