// How Kong's upstreams share requests, as a BalancingPolicy says it. Pure.
// Source: Kong, upstream: `hash_on` with a value makes it consistent hashing, unless least-connections is asked for; passive
// health checks count failures of a target, which stays out until somebody or an active check finds it well.
import type { Balance } from './balancing.ts'
import type { Fields } from './fields.ts'

type Choice = Pick<Balance, 'algorithm' | 'hash' | 'affinity'>

/** In which the gateway tells services who asks; no client can send it. */
const consumerHeader = 'X-Consumer-Name'

/** undefined: instances take turns, and nothing else. */
export function kongBalance(fields: Fields): Balance | undefined {
  const choice = choiceOf(fields)
  const ejection = ejectionOf(fields)
  if (fields.has('slots')) {
    fields.value('slots')
    fields.report.passedOver('slots', 'a size of the table of Kong')
  }
  if (fields.flag('use_srv_name') === true)
    fields.report.leftOut(fields.place('use_srv_name'), 'nothing is led to names; write an EndpointSlice')
  for (const key of fields.unread().filter(name => /^(?:hash_|sticky_sessions_)/.test(name))) {
    fields.value(key)
    fields.report.passedOver(key, 'it says nothing beside the other fields of its upstream')
  }
  if (choice === undefined && ejection === undefined) return undefined
  return { algorithm: 'RoundRobin', ...choice, ...(ejection !== undefined && { ejection }) }
}

function choiceOf(fields: Fields): Choice | undefined {
  const { report, place } = fields
  const algorithm = fields.text('algorithm')
  const hashOn = fields.text('hash_on') ?? 'none'
  const at = place('algorithm')
  switch (algorithm) {
    case 'sticky-sessions':
      return stickyChoice(fields)
    case 'least-connections':
      report.kept(at, 'LeastConnections of a BalancingPolicy')
      return { algorithm: 'LeastConnections' }
    case 'latency':
      report.changed(at, 'the instance with the fewest requests gets the next one, in place of the quickest one')
      return { algorithm: 'LeastConnections' }
    case undefined:
    case 'round-robin':
    case 'consistent-hashing':
      break
    default:
      report.leftOut(at, `${algorithm} is not known: instances take turns; see algorithm of a BalancingPolicy`)
  }
  if (hashOn !== 'none') return hashedChoice(fields, hashOn)
  if (algorithm === 'round-robin') report.kept(at, 'one after the other, here as well')
  if (algorithm === 'consistent-hashing')
    report.changed(at, 'without hash_on requests are not told apart: instances take turns')
  return undefined
}

function stickyChoice(fields: Fields): Choice {
  const { report, place } = fields
  const name = fields.text('sticky_sessions_cookie')
  const path = fields.text('sticky_sessions_cookie_path') ?? '/'
  if (path !== '/')
    report.changed(place('sticky_sessions_cookie_path'), `the cookie is for all paths, and not for ${path} alone`)
  const isName = name !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(name)
  if (name !== undefined && !isName)
    report.changed(place('sticky_sessions_cookie'), 'the cookie has another name: expected letters, digits, _ and -')
  report.changed(place('algorithm'), 'affinity of a BalancingPolicy: each client is led to an instance once anew')
  return { algorithm: 'RoundRobin', affinity: { cookie: isName ? { name } : {} } }
}

const isToken = (text: string | undefined): text is string =>
  text !== undefined && /^[A-Za-z0-9!#$%&'*+.^_|~-]{1,256}$/.test(text)

function hashedChoice(fields: Fields, hashOn: string): Choice | undefined {
  const { report, place } = fields
  const hash = hashOf(fields, hashOn)
  if (hash === undefined)
    return report.leftOut(
      place('hash_on'),
      `instances are not chosen by ${hashOn}: they take turns; expected ip, consumer, or a header, a cookie or a query_arg with its name`,
    )
  const fallback = fields.text('hash_fallback') ?? 'none'
  report.kept(place('hash_on'), `ConsistentHash of a BalancingPolicy, by ${hash.name ?? 'the address'}`)
  if (fields.has('algorithm')) report.kept(place('algorithm'), 'hash_on says it, as with Kong')
  if (hashOn === 'consumer') report.changed(place('hash_on'), 'requests of nobody who is known go to any instance')
  if (hashOn === 'cookie')
    report.changed(
      place('hash_on'),
      `who has no ${hash.name} gets a cookie of another name from the gateway (affinity), in place of one that Kong made up`,
    )
  else if (fallback !== 'none')
    report.leftOut(
      place('hash_fallback'),
      `requests without ${hash.name ?? 'it'} go to any instance, and are not told apart by ${fallback}; have clients send it`,
    )
  return { algorithm: 'ConsistentHash', hash, ...(hashOn === 'cookie' && { affinity: { cookie: {} } }) }
}

function hashOf(fields: Fields, hashOn: string): Balance['hash'] {
  const named = (by: 'Header' | 'Cookie' | 'QueryParameter', key: string): Balance['hash'] => {
    const name = fields.text(key)
    return isToken(name) ? { by, name } : undefined
  }
  switch (hashOn) {
    case 'ip':
      return { by: 'Address' }
    case 'consumer':
      return { by: 'Header', name: consumerHeader }
    case 'header':
      return named('Header', 'hash_on_header')
    case 'query_arg':
      return named('QueryParameter', 'hash_on_query_arg')
    case 'cookie': {
      const path = fields.text('hash_on_cookie_path') ?? '/'
      if (path !== '/')
        fields.report.changed(fields.place('hash_on_cookie_path'), 'the cookie of the gateway is for all paths')
      return named('Cookie', 'hash_on_cookie')
    }
    default:
      return undefined
  }
}

const usualSeconds = 30
const mostSeconds = 3600
const mostErrors = 1000

/** Each kind of check is off with 0. */
function ejectionOf(fields: Fields): Balance['ejection'] {
  const { report } = fields
  const checks = fields.object('healthchecks')
  if (checks === undefined) return undefined
  const healthy = checks.object('active')?.object('healthy')
  const lookSeconds = (healthy?.number('interval') ?? 0) * Math.max(1, healthy?.number('successes') ?? 1)
  const isActive = lookSeconds > 0 || (checks.object('active')?.object('unhealthy')?.number('interval') ?? 0) > 0
  if (isActive)
    report.leftOut(
      checks.place('active'),
      'the gateway asks nobody how he is; readinessProbe of the pods says it, and instances outside of the cluster have ejection alone',
    )
  else if (checks.has('active')) report.passedOver('healthchecks / active', 'nothing is checked')
  if ((checks.number('threshold') ?? 0) > 0)
    report.changed(
      checks.place('threshold'),
      'a service answers as long as one instance does; when all are out, all are asked',
    )
  else if (checks.has('threshold')) report.passedOver('healthchecks / threshold', 'it is off')
  const passive = checks.object('passive')
  const unhealthy = passive?.object('unhealthy')
  const counts = ['http_failures', 'tcp_failures', 'timeouts']
    .map(key => unhealthy?.number(key) ?? 0)
    .filter(count => count > 0)
  checks.tellRest('it is not known here, so that nothing was made of it')
  if (passive === undefined) return undefined
  if (counts.length === 0) {
    report.passedOver('healthchecks / passive', 'nothing is counted')
    return undefined
  }
  const seconds = Math.ceil(Math.min(mostSeconds, lookSeconds > 0 ? lookSeconds : usualSeconds))
  const ejection = { consecutiveErrors: Math.min(mostErrors, ...counts), duration: `${seconds}s` }
  report.changed(
    passive.at,
    `ejection of a BalancingPolicy: after ${ejection.consecutiveErrors} failures one after the other (5xx, no answer, no connection; other statuses do not count) an instance gets nothing for ${seconds} s, in place of until it is found well`,
  )
  return ejection
}
