// What policies ask for as lines of a backend, in the order in which a request meets them: where it comes from, how much was
// asked, who asks, how much that one asked, how large it is. Pure.
import { limitsOf, mostLimits, type Maintenance, type Policing } from '../model/policing.ts'
import { addressLines, refusedConnectionLines } from './address-lines.ts'
import { cacheLines } from './cache-lines.ts'
import { identityLines, ownCookieLines } from './identity-lines.ts'
import { consumerLoggedLines, loggedLines } from './log-lines.ts'
import { limitLines } from './limit-lines.ts'
import { quoted, quotedSample } from './quoted.ts'

export interface PolicyLines {
  /** Before browsers are told whether they may ask. */
  readonly first: readonly string[]
  /** Before anything else is done; undefined: nothing else is done. */
  readonly after: readonly string[] | undefined
  /** Settings of the section. */
  readonly settings: readonly string[]
}

/** @param id of the backend whose they are */
export function policyLines(id: string, policies: readonly Policing[] = [], directory: string): PolicyLines {
  const limits = limitsOf(policies).map((limit, counter) => ({ limit, counter }))
  const logged = loggedLines(policies)
  if (policies.some(({ isClosed }) => isClosed === true) || limits.length > mostLimits)
    return { first: [...logged, closedLine], after: undefined, settings: [] }
  const fromWhere = policies.flatMap(({ addresses }, place) => addressLines(addresses, place))
  const [maintenance] = policies.flatMap(each => each.maintenance ?? [])
  if (maintenance !== undefined)
    return { first: [...logged, ...fromWhere, maintenanceLine(maintenance)], after: undefined, settings: [] }
  const cached = cacheLines(id, policies)
  return {
    first: [...logged, ...fromWhere],
    after: [
      // Those that are refused have one, too.
      ...requestIdLines(policies.flatMap(({ requestId }) => requestId ?? [])),
      // Guesses at keys are counted, too.
      ...limitLines(limits.filter(({ limit }) => limit.by !== 'consumer')),
      ...policies.flatMap(({ identity }) => identityLines(identity, directory)),
      ...(policies.some(({ identity }) => identity?.login !== undefined) ? ownCookieLines : []),
      ...consumerLoggedLines(policies),
      ...limitLines(limits.filter(({ limit }) => limit.by === 'consumer')),
      ...headerSizeLines(policies.flatMap(({ maxHeaderBytes }) => maxHeaderBytes ?? [])),
      ...bodyLines(policies.flatMap(({ maxBodyBytes }) => maxBodyBytes ?? [])),
      ...cached.lines,
    ],
    // What is kept is not compressed: those that take it and those that do not get the same.
    settings: [
      ...cached.settings,
      ...compressionLines(new Set(policies.flatMap(({ compressed }) => compressed ?? []))),
    ],
  }
}

const closedLine = `http-request return status 500 content-type text/plain string ${quoted('a policy cannot be enforced')}`

/** Of a backend to which connections are handed on: nobody can be asked who it is, so that nobody is let in. */
export function connectionPolicyLines(policies: readonly Policing[] = []): readonly string[] {
  const isRefused = policies.some(
    ({ isClosed, identity, maintenance }) => isClosed === true || identity !== undefined || maintenance !== undefined,
  )
  if (isRefused) return ['tcp-request content reject']
  return policies.flatMap(({ addresses }, place) => refusedConnectionLines(addresses, place))
}

const maintenanceLine = ({ message, retryAfterSeconds }: Maintenance): string =>
  `http-request return status 503 content-type text/plain${retryAfterSeconds === undefined ? '' : ` hdr Retry-After ${retryAfterSeconds}`} string ${quoted(message)}`

/** What does not say how large it is could be of any size. */
const bodyLines = (limits: readonly number[]): readonly string[] =>
  limits.length === 0
    ? []
    : [
        `http-request return status 413 content-type text/plain string ${quoted('the body is too large')} if { req.body_size gt ${Math.min(...limits)} }`,
        'http-request wait-for-body time 5s at-least 1 unless { req.fhdr(content-length) -m found }',
        `http-request return status 411 content-type text/plain string ${quoted('say how large the body is')} if { req.body_size gt 0 } !{ req.fhdr(content-length) -m found }`,
      ]

const headerSizeLines = (limits: readonly number[]): readonly string[] =>
  limits.length === 0
    ? []
    : [
        `http-request return status 431 content-type text/plain string ${quoted('the headers are too large')} if { req.hdrs,length gt ${Math.min(...limits)} }`,
      ]

/** One that a client brings along stays, unless it is odd. */
const requestIdLines = (names: readonly string[]): readonly string[] =>
  [...new Set(names)].flatMap((name, place) => [
    `http-request set-header ${quoted(name)} %[uuid()] unless { ${quotedSample('req.fhdr', name)} -m reg ^[A-Za-z0-9._:/+=-]{1,128}$ }`,
    `http-request set-var(txn.id${place}) ${quotedSample('req.fhdr', name)}`,
    `http-after-response set-header ${quoted(name)} %[var(txn.id${place})] if { var(txn.id${place}) -m found }`,
  ])

const compressionLines = (types: ReadonlySet<string>): readonly string[] =>
  types.size === 0 ? [] : ['filter compression', 'compression algo gzip', `compression type ${[...types].join(' ')}`]
