// How often may be asked, as lines of a backend. A request that is refused is not counted. Pure. Source: HAProxy's configuration manual 2.6, "stick-table" and `sc-inc-gpc0`.
import type { RateLimit } from '../model/policing.ts'
import { quoted, quotedSample } from './quoted.ts'

export interface CountedLimit {
  readonly limit: RateLimit
  /** Of the request, from 0. */
  readonly counter: number
}

export const limitLines = (limits: readonly CountedLimit[]): readonly string[] =>
  limits.flatMap(({ limit: { id, requests, periodMs, by }, counter }) => [
    ...keyLines(by),
    `http-request track-sc${counter} ${by === 'address' ? 'src' : 'var(txn.by)'} table ${id}`,
    // It may take a whole period until there is room again.
    `http-request return status 429 content-type text/plain hdr Retry-After ${Math.ceil(periodMs / 1000)} string ${quoted('too many requests')} if { sc${counter}_gpc0_rate ge ${requests} }`,
    `http-request sc-inc-gpc0(${counter})`,
  ])

/** Whatever somebody says is a short word, which commands to HAProxy take, too. Who says nothing is counted, too: with all others that say nothing, or by address. */
function keyLines(by: RateLimit['by']): readonly string[] {
  if (by === 'address') return []
  if (by === 'everybody') return ['http-request set-var(txn.by) str(all)']
  if (by === 'consumer')
    return [
      'http-request set-var-fmt(txn.by) a:%[src]',
      'http-request set-var-fmt(txn.by) c:%[var(txn.consumer),sha1,hex] if { var(txn.consumer) -m found }',
    ]
  return [
    'http-request set-var(txn.by) str(none)',
    `http-request set-var(txn.by) ${quotedSample('req.fhdr', by.header, 'sha1', 'hex')} if { ${quotedSample('req.fhdr', by.header)} -m found }`,
  ]
}
