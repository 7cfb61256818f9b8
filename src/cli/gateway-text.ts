// What the gateway does, as people read it: a table of what leads where, and the way of one request.
import { editDistance, nearestName } from '../delivery/manifest/nearest-name.ts'
import type { EntranceFacts } from '../gateway/entrance-facts.ts'
import type { Explanation, Missed, RequestInMind } from '../gateway/explain-request.ts'
import type { RouteFacts } from '../gateway/route-facts.ts'
import type { PolicyFacts, RuleFacts } from '../gateway/rule-facts.ts'
import { tableText } from './table.ts'

const frontAddress = '127.0.0.1'
const head = ['HOST', 'PATH', 'LEADS TO', 'READY', 'OF', 'AT', 'GATEWAY', 'POLICIES']

/** The table, and below it what does not work. */
export function routesText(routes: readonly RouteFacts[]): string {
  const short = shortNames(routes.flatMap(({ by }) => by))
  const problems = routes.flatMap(({ host, path, owner, problem }) =>
    problem === undefined ? [] : [`${host}${path} (${owner}): ${problem}`],
  )
  const table = tableText(
    head,
    routes.map(route => rowOf(route, short)),
  )
  return [table, ...new Set(problems)].join('\n')
}

const rowOf = (route: RouteFacts, short: (name: string) => string): string[] => {
  const { host, owner, leadsTo, instances, redirect, entrances, by, policies } = route
  const namespace = `${owner.split(' ')[1]?.split('/')[0]}/`
  const plain = (name: string): string => (name.startsWith(namespace) ? name.slice(namespace.length) : name)
  return [
    host,
    pathText(route),
    redirect === undefined ? leadsTo.map(plain).join(', ') : redirectText(redirect, host),
    redirect === undefined ? String(instances) : '',
    owner,
    entrances.map(entranceText).join(', '),
    by
      .filter(name => name.startsWith('Gateway '))
      .map(short)
      .join(', '),
    policies.map(({ name }) => plain(name.split(' ')[1]!)).join(', '),
  ]
}

/** `308 https`, with what changes. */
const redirectText = (redirect: string, host: string): string => redirect.replace('to ', '').replace(`://${host}`, '')

/** A prefix as it is, since most are; `=` and `~` as people know them from nginx. */
const pathText = ({ path, pathType, conditions }: RuleFacts): string =>
  [
    { Prefix: path, Exact: `= ${path}`, RegularExpression: `~ ${path}` }[pathType],
    ...conditions.map(text => text.replace(/^method /, '')),
  ].join(' ')

/** `443 TLS`; the address where it is not the front. */
const entranceText = ({ address, port, protocol }: EntranceFacts): string => {
  const place = address === frontAddress ? String(port) : `${address}:${port}`
  return protocol === 'HTTP' ? place : `${place} ${protocol === 'HTTPS' ? 'TLS' : protocol}`
}

/** The Gateway's name alone where there is one of that name. */
function shortNames(all: readonly string[]): (name: string) => string {
  const nameOf = (text: string): string => text.split('/').at(-1)!
  const gateways = [...new Set(all)]
  return text =>
    text.includes('/') && gateways.filter(other => nameOf(other) === nameOf(text)).length > 1
      ? text.replace('Gateway ', '')
      : nameOf(text)
}

type FoundRule = Extract<Explanation, { readonly found: 'rule' }>

export function explanationText(request: RequestInMind, { entrance, by, rule }: FoundRule): string {
  const { owner, host, path, pathType, conditions, leadsTo, instances, redirect, policies, does, problem } = rule
  const what =
    entrance.protocol === 'HTTP' || entrance.protocol === 'HTTPS'
      ? `${request.method} ${request.host}${request.path}`
      : `a connection${entrance.protocol === 'TCP' ? '' : ` for ${request.host}`}`
  const ending = {
    HTTP: '',
    HTTPS: ', where TLS ends',
    TLS: ', where TLS ends',
    'TLS passthrough': ', and TLS is handed on as it comes',
    TCP: ', and is handed on as it comes',
    UDP: ', and is handed on as it comes',
  }[entrance.protocol]
  const matched = [`host ${host}`, `${pathType} ${path}`, ...conditions].join(', ')
  return [
    `${what} is taken by ${owner} (${matched})`,
    `it comes in at ${entrance.address}:${entrance.port} (${by.join(', ')})${ending}`,
    ...(entrance.sources === undefined ? [] : [`only from ${entrance.sources.join(', ')}`]),
    ...(entrance.clientCertificates === undefined
      ? []
      : [
          entrance.clientCertificates === 'required'
            ? 'only with a certificate of the client that is valid'
            : 'clients are asked for a certificate, and come in without one, too',
        ]),
    ...policies.flatMap(policyLines),
    ...does.map(words => `on the way ${words}`),
    redirect === undefined
      ? `it leads to ${leadsTo.join(', ') || 'nothing'}, ${instances} ${instances === 1 ? 'instance' : 'instances'}`
      : `it is redirected: ${redirect}`,
    ...(problem === undefined ? [] : [`it does not work: ${problem}`]),
  ].join('\n')
}

const policyLines = ({ name, asks, for: some, problem }: PolicyFacts): readonly string[] => [
  ...asks.map(words => `a policy asks for: ${words} (${name}${some === undefined ? '' : `, for ${some.join(', ')}`})`),
  ...(problem === undefined ? [] : [`${name} is not enforced as it says: ${problem}`]),
]

/** Why nothing takes it, and what comes nearest. */
export function missedText(request: RequestInMind, explanation: Exclude<Explanation, FoundRule>): string {
  const { scheme, address, port } = request
  const at = `${address}:${port}`
  if (explanation.found === 'no entrance')
    return `the gateway does not listen at ${at}; ${takenAt(request, explanation.entrances)}`
  if (explanation.found === 'other protocol')
    return `${scheme} is not what ${at} takes (${explanation.entrance.protocol}); ${takenAt(request, explanation.entrances)}`
  if (explanation.found === 'two readings')
    return `the gateway answers 400: some services would read ${request.path} as ${explanation.other}, which leads elsewhere`
  const { entrance, missed } = explanation
  if (entrance.protocol !== 'HTTP' && entrance.protocol !== 'HTTPS')
    return `nothing takes connections for ${request.host} at ${at}, so that they are closed; ${nearest(request, missed)}`
  return `nothing takes ${request.method} ${request.host}${request.path}, so the gateway answers 404; ${nearest(request, missed)}`
}

const listingHint = 'what there is: sampan gateway routes'

const takenAt = (request: RequestInMind, entrances: readonly EntranceFacts[]): string =>
  entrances.length === 0 ? listingHint : `it would be taken at ${entrances.map(urlAt(request)).join(' or ')}`

const urlAt =
  ({ host, path, search }: RequestInMind) =>
  ({ address, port, protocol }: EntranceFacts): string => {
    const scheme = protocol === 'HTTP' ? 'http' : 'https'
    if (protocol === 'TCP' || protocol === 'UDP') return `${address}:${port}`
    const end = `${port === (scheme === 'http' ? 80 : 443) ? '' : `:${port}`}${path}${search}`
    if (address === frontAddress || address === host) return `${scheme}://${host}${end}`
    return `${scheme}://${address}${end} (--header 'Host: ${host}')`
  }

function nearest(request: RequestInMind, { hosts, paths, unmet, elsewhere }: Missed): string {
  if (unmet.length > 0)
    return `for that path there is ${unmet.map(({ owner, conditions }) => `${owner}, which wants ${conditions.join(' and ')}`).join('; ')}`
  if (elsewhere.length > 0) return takenAt(request, elsewhere)
  const path = nearestPath(request.path, paths)
  if (path !== undefined) return `the nearest path of this host is ${path}; ${listingHint}`
  const host = nearestName(request.host, hosts)
  return host === undefined ? listingHint : `did you mean the host ${host}? ${listingHint}`
}

/** What is asked for is compared as far as each of them goes. */
function nearestPath(asked: string, paths: readonly string[]): string | undefined {
  const distance = (path: string): number =>
    editDistance(asked.split('/').slice(0, path.split('/').length).join('/'), path)
  return paths.toSorted((left, right) => distance(left) - distance(right))[0]
}
