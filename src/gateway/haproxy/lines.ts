// An entrance's routing as lines of HAProxy's configuration: look up name and path as they are, else make them plain, look up
// the name, then the path, then choose among candidates, then do what is to be done. All that changes often stands in maps.
// Pure.
import { challengePath } from '../model/issuers.ts'
import type { Entrance, RequestMatch } from '../model/model.ts'
import { tlsOptions } from './certificates.ts'
import type { HandOverLines } from './hand-over-lines.ts'
import { silentLines } from './log-lines.ts'
import { clientLines } from './client-lines.ts'
import { misdirectedLines } from './misdirected-lines.ts'
import { entranceName, type MapName } from './names.ts'
import { clientOptions } from './server-tls.ts'
import { leadLines } from './lead-lines.ts'
import { condition, quoted, quotedSample } from './quoted.ts'
import { anyChoice, pathChoice, pathEnd, type Candidate, type RoutingTable } from './routing-table.ts'

/** Requests are shared among so many places, each of which leads somewhere. */
export const sharedPlaces = 1000
/** Where a share leads that leads nowhere. */
export const nowhere = 'nowhere'

/** In which a service is told who asks, where a policy wants to know. */
export const consumerHeader = 'X-Consumer-Name'

/** What is decided where there is nothing: a choice of nothing. */
const undecided = anyChoice

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
const isOdd = String.raw`{ path -m sub % // /. ; \\ }`

/**
 * What a client may not say. Two names are none (RFC 9112, 3.2). A switch to another protocol than WebSocket would be a way
 * around all rules. Who asked from where is said by the gateway alone.
 */
const honestLines = [
  String.raw`http-request deny deny_status 400 if { req.fhdr_cnt(host) gt 1 } or { req.fhdr(host) -m sub , / \\ @ * ? '#' ' ' }`,
  'http-request deny deny_status 405 if METH_CONNECT',
  // A whole address in place of a path (RFC 9112, 3.2.2); in HTTP/2 it always is one.
  'http-request set-uri %[pathq] if { url -m beg -i http:// https:// } { req.ver -m beg 1. }',
  'http-request del-header Upgrade if { req.fhdr(upgrade) -m found } !{ req.fhdr(upgrade) -m str -i websocket }',
  // Services that take an underscore for a hyphen, as those of CGI do, would be told by a client what the gateway says.
  ...['x_', 'x-forwarded_', 'x-forwarded-client_', 'x-real_', 'x-consumer_', 'client_', 'client-cert_'].map(
    start => `http-request del-header ${start} -m beg`,
  ),
  ...['HTTP2-Settings', 'X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'Proxy', consumerHeader].map(
    name => `http-request del-header ${name}`,
  ),
]

/** Paths of what an entrance looks things up in. */
export interface EntranceFiles {
  readonly map: (name: MapName) => string
  /** The list of certificates. */
  readonly certificates: string
  /** Of all that it reads. */
  readonly directory: string
  /** Of answers that are given before any rule. */
  readonly answers?: string
}

export function bindLine(entrance: Entrance, { certificates, directory }: EntranceFiles): string {
  const { address, port, tls } = entrance
  const secure = tls === undefined ? '' : `${tlsOptions(certificates)}${clientOptions(entrance, directory)}`
  return `bind ${address}:${port}${secure}`
}

export interface FrontendOptions {
  readonly handOver: HandOverLines
  /** Some backends have a double. */
  readonly hasDoubles: boolean
  /** Requests of some backends are logged. */
  readonly isLogging: boolean
}

export function frontendLines(
  entrance: Entrance,
  table: RoutingTable,
  files: EntranceFiles,
  { handOver, hasDoubles, isLogging }: FrontendOptions,
): string[] {
  const { port, tls } = entrance
  const { map } = files
  return [
    `frontend ${entranceName(entrance)}`,
    bindLine(entrance, files),
    handOver.bind,
    ...(isLogging ? silentLines : []),
    ...clientLines(tls?.clients),
    handOver.first,
    ...honestLines,
    ...misdirectedLines(entrance, map),
    ...(tls === undefined && files.answers !== undefined ? answerLines(files.answers) : []),
    `http-request set-header X-Forwarded-Proto ${tls === undefined ? 'http' : 'https'}`,
    `http-request set-header X-Forwarded-Port ${port}`,
    'http-request set-header X-Forwarded-Host %[req.hdr(host)]',
    // Most requests ask for an exact name and a plain path, and are led on as soon as these are looked up.
    `http-request set-var(txn.do) base,concat(${pathEnd}),map_beg(${map('paths')},${undecided}) unless ${isOdd}`,
    `http-request allow if { var(txn.do) -m found } !{ var(txn.do) -m beg ${undecided} s_ }`,
    'http-request set-var(txn.host) req.fhdr(host),host_only,rtrim(.),lower',
    // What a rule is asked about is what a service gets.
    `http-request set-var(txn.odd) bool(true) if ${isOdd}`,
    // The end of a text for those services that are written in C.
    'http-request deny deny_status 400 if { var(txn.odd) -m found } { path -m sub %00 }',
    ...plainPath.map(step => `http-request normalize-uri ${step} if { var(txn.odd) -m found }`),
    `http-request set-var(txn.key) var(txn.host),map_str(${map('hosts')})`,
    `http-request set-var(txn.key) var(txn.host),regsub(^[^.]+,*),map_str(${map('one-label')}) if !{ var(txn.key) -m found }`,
    `http-request set-var(txn.key) var(txn.host),map_end(${map('below')}) if !{ var(txn.key) -m found }`,
    `http-request set-var(txn.key) str(*) if !{ var(txn.key) -m found }`,
    ...otherWayLines(table, map(table.readPaths === undefined ? 'paths' : 'read')),
    `http-request set-var-fmt(txn.path) %[var(txn.key)]%[path]${pathEnd}`,
    `http-request set-var(txn.do) var(txn.path),map_beg(${map('paths')},${undecided})`,
    ...comparedLines(`!{ var(txn.do) -m beg ${pathChoice} }`),
    ...[...table.choices].flatMap(([name, candidates]) =>
      candidates.map(candidate => choiceLine('txn.do', name, candidate)),
    ),
    ...comparedLines(),
    `http-request return status 404 content-type text/plain string ${quoted('nothing is here')} if { var(txn.do) -m beg ${undecided} }`,
    `http-request set-var-fmt(txn.share) %[var(txn.do)]/%[rand(${sharedPlaces})] if { var(txn.do) -m beg s_ }`,
    `http-request set-var(txn.do) var(txn.share),map_str(${map('shares')}) if { var(txn.do) -m beg s_ }`,
    `http-request return status 500 content-type text/plain string ${quoted('the route leads to no service')} if { var(txn.do) -m str ${nowhere} }`,
    handOver.way,
    ...leadLines('txn.do', hasDoubles),
    ...handOver.section,
  ]
}

/** Where a path would lead that is read in another way: `txn.other`. */
const otherWayLines = ({ choices }: RoutingTable, paths: string): readonly string[] => [
  String.raw`http-request set-var(txn.read) 'path,regsub("%2F|%5C|\\\\","/",g),regsub(";[^/]*","",g)' if { var(txn.odd) -m found } { path -m sub ; %2F %5C \\ }`,
  ...[
    'set-var(txn.written) pathq',
    'set-path %[var(txn.read)]',
    ...['path-merge-slashes', 'path-strip-dot', 'path-strip-dotdot full'].map(step => `normalize-uri ${step}`),
    `set-var-fmt(txn.path) %[var(txn.key)]%[path]${pathEnd}`,
    `set-var(txn.other) var(txn.path),map_beg(${paths},${undecided})`,
  ].map(step => `http-request ${step} if ${isReadAnew}`),
  ...[...choices]
    .filter(([name]) => name.startsWith(pathChoice))
    .flatMap(([name, candidates]) => candidates.map(candidate => choiceLine('txn.other', name, candidate))),
  `http-request set-pathq %[var(txn.written)] if ${isReadAnew}`,
]

const isReadAnew = '{ var(txn.read) -m found }'

/** What has been compared is no longer asked about. */
const comparedLines = (condition = ''): readonly string[] => [
  `http-request return status 400 content-type text/plain string ${quoted('the path can be read in two ways')} if ${isReadAnew} ${condition} !{ var(txn.do),strcmp(txn.other) eq 0 }`,
  ...(condition === '' ? [] : [`http-request unset-var(txn.read) if ${isReadAnew} ${condition}`]),
]

const choiceLine = (variable: string, choice: string, { match, action }: Candidate): string =>
  `http-request set-var(${variable}) str(${action}) if { var(${variable}) -m str ${choice} }${conditions(match)}`
/** A path that is not in the map goes on to the rules. */
const answerLines = (map: string): string[] => [
  `http-request set-var-fmt(txn.asked) %[req.fhdr(host),host_only,rtrim(.),lower]%[path] if { path -m beg ${challengePath} }`,
  `http-request set-var(txn.answer) var(txn.asked),map_str(${map}) if { var(txn.asked) -m found }`,
  'http-request return status 200 content-type text/plain lf-string %[var(txn.answer)] if { var(txn.answer) -m found }',
]

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
