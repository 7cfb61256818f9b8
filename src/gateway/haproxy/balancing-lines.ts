// How the servers of a backend share its requests, as lines of its section and as words that each server is told. What
// HAProxy can tell a server that comes while it runs is all that is used, so that instances come and go without a load. Pure.
// Source: HAProxy's configuration manual 2.6, "balance", "cookie" and "Server and default-server options".
import type { Affinity, Balancing, Concurrency, Ejection, HashedBy } from '../model/balancing.ts'
import type { BackendProtocol, BackendTls } from '../model/model.ts'
import { quoted, quotedSample } from './quoted.ts'

export interface BalancingLines {
  /** Settings of the section. */
  readonly settings: readonly string[]
  /** What a request meets last. */
  readonly last: readonly string[]
  /** What each server is told. */
  readonly serverOptions: string
}

/** Points on the ring are sixteen times the weight; with fewer of them shares are uneven. */
const hashedWeight = 16

/** Between two looks at an instance whose connections fail. */
const lookMs = 5_000

export function balancingLines(
  balancing: Balancing | undefined,
  { protocol, tls }: { readonly protocol: BackendProtocol; readonly tls?: BackendTls },
): BalancingLines {
  if (balancing === undefined) return { settings: [], last: [], serverOptions: '' }
  const { choice, ejection, slowStartMs, concurrency } = balancing
  const isCarried = protocol === 'tcp'
  const affinity = isCarried ? undefined : balancing.affinity
  const hashedBy = typeof choice === 'object' && (!isCarried || choice.by === 'address') ? choice : undefined
  return {
    settings: [
      ...(choice === 'leastConnections' ? ['balance leastconn'] : []),
      ...(hashedBy === undefined ? [] : [`balance hash ${sampleOf(hashedBy)}`, 'hash-type consistent sdbm avalanche']),
      ...(affinity === undefined ? [] : affinityLines(affinity)),
      // Whoever is led to one that does not answer is led on at once.
      ...((hashedBy ?? affinity ?? ejection) ? ['option redispatch 1'] : []),
      ...(concurrency === undefined || isCarried ? [] : [`http-error ${busy(concurrency)}`]),
    ],
    last: concurrency === undefined ? [] : overflowLines(concurrency, isCarried),
    serverOptions: [
      ...(hashedBy === undefined ? [] : [`weight ${hashedWeight}`]),
      ...(ejection === undefined ? [] : ejectionOptions(ejection, isCarried, tls)),
      ...(slowStartMs === undefined ? [] : [`slowstart ${slowStartMs}ms`]),
      ...(concurrency === undefined ? [] : [`maxconn ${concurrency.perInstance}`]),
    ]
      .map(option => ` ${option}`)
      .join(''),
  }
}

function sampleOf(hashedBy: HashedBy): string {
  switch (hashedBy.by) {
    case 'address':
      return 'src'
    case 'header':
      return quotedSample('req.fhdr', hashedBy.name)
    case 'cookie':
      return quotedSample('req.cook', hashedBy.name)
    case 'query':
      return quotedSample('url_param', hashedBy.name, 'url_dec')
  }
}

/** The service does not see the cookie, and caches do not keep what brings it. */
const affinityLines = ({ cookie, key, maxAgeSeconds }: Affinity): readonly string[] => [
  `cookie ${cookie} insert indirect nocache httponly dynamic attr 'SameSite=Lax'${maxAgeSeconds === undefined ? '' : ` attr 'Max-Age=${maxAgeSeconds}'`}`,
  `dynamic-cookie-key ${key}`,
  `http-after-response replace-header Set-Cookie ${quoted(`^(${cookie}=.*)$`)} ${quoted(String.raw`\1; Secure`)} if { ssl_fc }`,
]

/**
 * Out after so many errors; back when two connections one after the other were made, the second one when its time is over.
 */
function ejectionOptions({ errors, periodMs }: Ejection, isCarried: boolean, tls: BackendTls | undefined): string[] {
  return [
    'check',
    ...(tls === undefined ? [] : [`check-sni ${tls.name}`]),
    `observe ${isCarried ? 'layer4' : 'layer7'}`,
    `error-limit ${errors}`,
    'on-error mark-down',
    `inter ${Math.min(periodMs, lookMs)}ms`,
    `fastinter ${periodMs}ms`,
    'rise 2',
    'fall 3',
  ]
}

const busy = ({ waitMs }: Concurrency): string =>
  `status 503 content-type text/plain hdr Retry-After ${Math.ceil(waitMs / 1000)} string ${quoted('no instance is free')}`

const overflowLines = (concurrency: Concurrency, isCarried: boolean): readonly string[] =>
  concurrency.mostWaiting === undefined
    ? []
    : [
        `${isCarried ? 'tcp-request content reject' : `http-request return ${busy(concurrency)}`} if { queue ge ${concurrency.mostWaiting} }`,
      ]
