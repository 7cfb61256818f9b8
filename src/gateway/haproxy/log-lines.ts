// The log of requests as lines of HAProxy's configuration: an entrance says nothing of its requests, but of those of backends
// that want it, a line of JSON. What is logged of a request is noted when it comes, since it is gone when it is answered.
// Pure. Source: HAProxy's configuration manual 2.6, "ring" and "Custom log format".
import type { Backend } from '../model/model.ts'
import type { Policing } from '../model/policing.ts'
import { quoted } from './quoted.ts'

const ring = 'requests'
const lineBytes = 8192
/** Of what waits while nobody takes it. */
const ringBytes = 4 << 20

const logged = (policies: readonly Policing[] = []): readonly NonNullable<Policing['log']>[] =>
  policies.flatMap(({ log }) => log ?? [])

export const isLogging = (backends: ReadonlyMap<string, Backend>): boolean =>
  [...backends.values()].some(({ handling, protocol }) => protocol !== 'tcp' && logged(handling.policies).length > 0)

/** A section by itself. @param socket to which lines are sent */
export const ringLines = (socket: string): readonly string[] => [
  '',
  `ring ${ring}`,
  'format raw',
  `maxlen ${lineBytes}`,
  `size ${ringBytes}`,
  'timeout connect 5s',
  'timeout server 10s',
  `server sampan ${quoted(`unix@${socket}`)} log-proto octet-count`,
]

/** Of an entrance. */
export const silentLines: readonly string[] = [
  `log ring@${ring} len ${lineBytes} format raw local0 info`,
  `log-format ${quoted(
    `{${[
      '"time":"%[var(txn.log_time)]"',
      '"client":"%ci"',
      '"method":"%HM"',
      '"host":"%[var(txn.log_host)]"',
      '"path":"%[var(txn.log_path)]"',
      '"protocol":"%HV"',
      '"status":%ST',
      '"bytes":%B',
      '"milliseconds":%Ta',
      '"backend":"%[var(txn.log_backend)]"',
      '"instance":"%si:%sp"',
      '"consumer":%[var(txn.log_consumer)]',
      '"headers":%[var(txn.log_headers)]',
      '"end":"%ts"',
    ].join(',')}}`,
  )}`,
  'http-request set-log-level silent',
]

/** Of a backend, before anything may be answered. */
export function loggedLines(policies: readonly Policing[]): readonly string[] {
  const logs = logged(policies)
  if (logs.length === 0) return []
  const headers = [...new Set(logs.flatMap(log => log.headers.map(name => name.toLowerCase())))]
  const noted = (name: string, format: string): string => `http-request set-var-fmt(txn.log_${name}) ${format}`
  return [
    'http-request set-log-level info',
    noted('time', quoted('%[date,utime(%Y-%m-%dT%H:%M:%SZ)]')),
    noted('host', '%[req.fhdr(host),json(utf8s)]'),
    noted('path', quoted(`%[${['pathq', ...keysOf(policies).map(withoutValue), 'json(utf8s)'].join(',')}]`)),
    noted('backend', '%[be_name]'),
    noted('consumer', 'null'),
    noted('headers', quoted(`{${headers.map(name => `"${name}":"%[req.fhdr(${name}),json(utf8s)]"`).join(',')}}`)),
  ]
}

/** Parameters in which keys are shown. */
const keysOf = (policies: readonly Policing[]): readonly string[] => [
  ...new Set(policies.flatMap(({ identity }) => identity?.keys?.queryParameter ?? [])),
]

/** @param name of letters, digits, dots, hyphens and underscores */
const withoutValue = (name: string): string =>
  String.raw`regsub("([?&]${name.replaceAll('.', '[.]')}=)[^&]*","\\1***",g)`

/** When it is known who asks. */
export const consumerLoggedLines = (policies: readonly Policing[]): readonly string[] =>
  logged(policies).length === 0 || policies.every(({ identity }) => identity === undefined)
    ? []
    : [`http-request set-var-fmt(txn.log_consumer) ${quoted('"%[var(txn.consumer),bytes(1),json(utf8s)]"')}`]
