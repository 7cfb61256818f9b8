// An entrance's routing as lines of HAProxy's configuration: look up name and path as they are, else make them plain, look up
// the name, then the path, then choose among candidates, then do what is to be done. All that changes often stands in maps.
// Pure.
import type { Entrance, RequestMatch } from '../model/model.ts'
import { tlsOptions } from './certificates.ts'
import { entranceName } from './names.ts'
import { leadLines } from './lead-lines.ts'
import { condition, quoted, quotedSample } from './quoted.ts'
import { pathEnd, type Candidate, type RoutingTable } from './routing-table.ts'

/** Requests are shared among so many places, each of which leads somewhere. */
export const sharedPlaces = 1000
/** Where a share leads that leads nowhere. */
export const nowhere = 'nowhere'

/** In which a service is told who asks, where a policy wants to know. */
export const consumerHeader = 'X-Consumer-Name'

/** What the name of a choice begins with, and what is decided where there is nothing. */
const undecided = 'c_'

export type MapName = 'hosts' | 'one-label' | 'below' | 'paths' | 'shares'

/**
 * In this order: what is encoded may be a dot. Broken escapes are refused; without `strict` HAProxy 2.6 also loses the
 * condition behind these two.
 */
const plainPath = [
  'percent-decode-unreserved strict',
  'percent-to-uppercase strict',
  'path-merge-slashes',
  'path-strip-dot',
  'path-strip-dotdot full',
]

/** Most paths are plain already, and one look at them costs less than five. */
const isOdd = '{ path -m sub % // /. }'

/**
 * What a client may not say. Two names are none (RFC 9112, 3.2). A switch to another protocol than WebSocket would be a way
 * around all rules. Who asked from where is said by the gateway alone.
 */
const honestLines = [
  'http-request deny deny_status 400 if { req.fhdr_cnt(host) gt 1 } or { req.fhdr(host) -m sub , }',
  'http-request del-header Upgrade if { req.fhdr(upgrade) -m found } !{ req.fhdr(upgrade) -m str -i websocket }',
  ...['HTTP2-Settings', 'X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'Proxy', consumerHeader].map(
    name => `http-request del-header ${name}`,
  ),
]

/** Paths of what an entrance looks things up in. */
export interface EntranceFiles {
  readonly map: (name: MapName) => string
  /** The list of certificates. */
  readonly certificates: string
}

export const bindLine = ({ address, port, tls }: Entrance, { certificates }: EntranceFiles): string =>
  `bind ${address}:${port}${tls === undefined ? '' : tlsOptions(certificates)}`

export function frontendLines(
  entrance: Entrance,
  table: RoutingTable,
  files: EntranceFiles,
  hasDoubles: boolean,
): string[] {
  const { port, tls } = entrance
  const { map } = files
  return [
    `frontend ${entranceName(entrance)}`,
    bindLine(entrance, files),
    ...honestLines,
    `http-request set-header X-Forwarded-Proto ${tls === undefined ? 'http' : 'https'}`,
    `http-request set-header X-Forwarded-Port ${port}`,
    'http-request set-header X-Forwarded-Host %[req.hdr(host)]',
    // Most requests ask for an exact name and a plain path, and are led on as soon as these are looked up. A slash or a star in
    // a name would make another key of it.
    `http-request set-var(txn.do) base,concat(${pathEnd}),map_beg(${map('paths')},${undecided}) unless ${isOdd} or { req.fhdr(host) -m sub / * }`,
    `http-request allow if { var(txn.do) -m found } !{ var(txn.do) -m beg ${undecided} s_ }`,
    'http-request set-var(txn.host) req.fhdr(host),host_only,rtrim(.),lower',
    // What a rule is asked about is what a service gets.
    `http-request set-var(txn.odd) bool(true) if ${isOdd}`,
    ...plainPath.map(step => `http-request normalize-uri ${step} if { var(txn.odd) -m found }`),
    `http-request set-var(txn.key) var(txn.host),map_str(${map('hosts')})`,
    `http-request set-var(txn.key) var(txn.host),regsub(^[^.]+,*),map_str(${map('one-label')}) if !{ var(txn.key) -m found }`,
    `http-request set-var(txn.key) var(txn.host),map_end(${map('below')}) if !{ var(txn.key) -m found }`,
    `http-request set-var(txn.key) str(*) if !{ var(txn.key) -m found }`,
    `http-request set-var-fmt(txn.path) %[var(txn.key)]%[path]${pathEnd}`,
    `http-request set-var(txn.do) var(txn.path),map_beg(${map('paths')},${undecided})`,
    ...[...table.choices].flatMap(([name, candidates]) => candidates.map(candidate => choiceLine(name, candidate))),
    `http-request return status 404 content-type text/plain string ${quoted('nothing is here')} if { var(txn.do) -m beg ${undecided} }`,
    `http-request set-var-fmt(txn.share) %[var(txn.do)]/%[rand(${sharedPlaces})] if { var(txn.do) -m beg s_ }`,
    `http-request set-var(txn.do) var(txn.share),map_str(${map('shares')}) if { var(txn.do) -m beg s_ }`,
    `http-request return status 500 content-type text/plain string ${quoted('the route leads to no service')} if { var(txn.do) -m str ${nowhere} }`,
    ...leadLines('txn.do', hasDoubles),
  ]
}

const choiceLine = (choice: string, { match, action }: Candidate): string =>
  `http-request set-var(txn.do) str(${action}) if { var(txn.do) -m str ${choice} }${conditions(match)}`

function conditions({
  method,
  headers,
  query,
  pathPattern,
}: Omit<RequestMatch, 'path'> & { pathPattern?: string }): string {
  return [
    ...(pathPattern === undefined ? [] : [condition('path', 'pattern', pathPattern)]),
    ...(method === undefined ? [] : [`{ method ${quoted(method)} }`]),
    ...headers.map(({ name, kind, value }) => condition(quotedSample('req.fhdr', name), kind, value)),
    ...query.map(({ name, kind, value }) => condition(quotedSample('url_param', name, 'url_dec'), kind, value)),
  ]
    .map(text => ` ${text}`)
    .join('')
}
