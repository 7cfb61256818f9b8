// Plugins of Kong that say who may ask, and how much, as parts of policies. What kept somebody out and has no equal here
// keeps everybody out, until somebody looks: a way in that nobody meant is worse than none. Pure.
// Source: Kong, plugins key-auth, basic-auth, jwt, acl, ip-restriction, rate-limiting, rate-limiting-advanced,
// request-size-limiting, request-termination and correlation-id.
import type { WrittenRateLimit } from '../../api/gateway-api/policies.ts'
import { mostLimits } from '../model/policing.ts'
import type { Effect } from './effect.ts'
import type { Fields } from './fields.ts'

export type Made = Omit<Effect, 'at' | 'plugin' | 'name'>

const services = 'services are told who asks by X-Consumer-Name, in place of X-Consumer-Username and the like of Kong'

/** What ways to show who one is have in common. */
function commonOfIdentity(config: Fields): void {
  const { report } = config
  if (config.flag('hide_credentials') === true)
    report.leftOut(config.place('hide_credentials'), 'services see what a client shows; have them pass over it')
  if ((config.text('anonymous') ?? '') !== '')
    report.leftOut(
      config.place('anonymous'),
      'who shows nothing is not let in as somebody else; make a route of its own for them',
    )
  if (config.flag('run_on_preflight') === false)
    report.changed(
      config.place('run_on_preflight'),
      'what browsers ask beforehand needs no key where the route answers it (CORS)',
    )
  report.changed(config.at, services)
}

export function keyAuth(config: Fields): Made {
  const { report } = config
  const [name = 'apikey', ...others] = config.texts('key_names') ?? ['apikey']
  const inHeader = config.flag('key_in_header') ?? true
  const inQuery = config.flag('key_in_query') ?? true
  commonOfIdentity(config)
  if (config.flag('key_in_body') === true)
    report.leftOut(config.place('key_in_body'), 'a key is not looked for in bodies; have clients send it in a header')
  if (others.length > 0)
    report.leftOut(
      config.place('key_names'),
      `only ${name} is looked for; have clients send it in place of ${others.join(', ')}`,
    )
  if (config.has('realm'))
    report.changed(config.place('realm'), `the gateway has no name to tell (${config.text('realm') ?? ''})`)
  if (!inHeader && !inQuery) return { isClosed: true }
  const isParameter = /^[A-Za-z0-9_.-]{1,64}$/.test(name)
  return {
    authentication: {
      keys: { ...(inHeader && { header: name }), ...(inQuery && isParameter && { queryParameter: name }) },
    },
  }
}

export function basicAuth(config: Fields): Made {
  commonOfIdentity(config)
  const realm = config.text('realm') ?? 'service'
  return { authentication: { basic: { realm: realm.slice(0, 64) } } }
}

/** @param text `10.0.0.1` or `10.0.0.0/8` */
const network = (text: string): string => (text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`)

export function ipRestriction(config: Fields): Made {
  const { report } = config
  const allow = config.texts('allow') ?? config.texts('whitelist')
  const deny = config.texts('deny') ?? config.texts('blacklist')
  const status = config.number('status')
  if (status !== undefined && status !== 403) report.changed(config.place('status'), 'the answer is 403')
  if (config.has('message')) {
    config.text('message')
    report.changed(config.place('message'), 'the answer has words of its own')
  }
  const isBroken = (['allow', 'whitelist', 'deny', 'blacklist'] as const).some(
    key => config.has(key) && config.texts(key) === undefined,
  )
  const most = 256
  if (isBroken || (allow?.length ?? 0) > most || (deny?.length ?? 0) > most || (!allow?.length && !deny?.length)) {
    if (!isBroken) report.leftOut(config.at, `expected up to ${most} networks in allow or deny`)
    return { isClosed: true }
  }
  return {
    addresses: {
      ...(allow !== undefined && allow.length > 0 && { allow: allow.map(network) }),
      ...(deny !== undefined && deny.length > 0 && { deny: deny.map(network) }),
    },
  }
}

export function acl(config: Fields): Made {
  const { report } = config
  const allow = config.texts('allow') ?? config.texts('whitelist')
  const deny = config.texts('deny') ?? config.texts('blacklist')
  if (config.flag('hide_groups_header') !== true)
    report.changed(config.at, 'services are not told the groups (X-Consumer-Groups), but who asks')
  if (config.flag('include_consumer_groups') === true || config.flag('always_use_authenticated_groups') === true)
    report.leftOut(config.at, 'groups are those of the Consumer; write them there')
  if (!allow?.length && !deny?.length) return { isClosed: true }
  return { groups: { ...(allow?.length && { allow }), ...(deny?.length && { deny }) } }
}

const periods = [
  ['second', '1s'],
  ['minute', '1m'],
  ['hour', '1h'],
  ['day', '24h'],
] as const

export function rateLimiting(config: Fields): Made {
  const { report } = config
  const counted = countedBy(config, 'limit_by')
  const limits = periods.flatMap(([key, per]) => {
    const requests = config.number(key)
    return requests === undefined ? [] : limitOf(requests, per, counted, config.place(key), config)
  })
  for (const key of ['month', 'year'])
    if (config.number(key) !== undefined)
      report.leftOut(config.place(key), 'requests are counted for a day at most; write a limit for a day')
  tellCounting(config)
  return trafficWith(limits, config)
}

export function rateLimitingAdvanced(config: Fields): Made {
  const { report } = config
  const sizes = config.texts('window_size') ?? []
  const counted = countedBy(config, 'identifier')
  const limits = (config.texts('limit') ?? []).flatMap((text, index) => {
    const seconds = Number(sizes[index])
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86_400)
      return (
        report.leftOut(config.place('window_size'), 'requests are counted for a second to a day; write another limit'),
        []
      )
    return limitOf(Number(text), `${seconds}s`, counted, config.place('limit'), config)
  })
  tellCounting(config)
  return trafficWith(limits, config)
}

function limitOf(
  requests: number,
  per: string,
  counted: Pick<WrittenRateLimit, 'by' | 'header'>,
  at: string,
  { report }: Fields,
): readonly WrittenRateLimit[] {
  if (Number.isInteger(requests) && requests >= 1 && requests <= 1_000_000) return [{ requests, per, ...counted }]
  report.leftOut(at, 'expected a whole number of requests up to 1000000; write another limit')
  return []
}

function trafficWith(limits: readonly WrittenRateLimit[], { at, report }: Fields): Made {
  if (limits.length > mostLimits)
    report.leftOut(
      at,
      `${mostLimits} limits are the most for a request: without ${limits
        .slice(mostLimits)
        .map(each => `${each.requests} per ${each.per}`)
        .join(', ')}`,
    )
  return limits.length === 0 ? {} : { traffic: { rateLimits: limits.slice(0, mostLimits) } }
}

/** Who is not known is counted by his address, in both worlds. */
function countedBy(config: Fields, key: string): Pick<WrittenRateLimit, 'by' | 'header'> {
  const by = config.text(key) ?? 'consumer'
  const header = config.text('header_name')
  if (header !== undefined && by !== 'header') config.report.passedOver('header_name', 'requests are not counted by it')
  switch (by) {
    case 'ip':
      return { by: 'Address' }
    case 'service':
      return { by: 'Everybody' }
    case 'header':
      return header === undefined ? { by: 'Address' } : { by: 'Header', header }
    case 'consumer':
      return { by: 'Consumer' }
    case 'credential':
      config.report.changed(config.place(key), 'all keys of a Consumer are counted together')
      return { by: 'Consumer' }
    default:
      config.report.changed(config.place(key), `requests are counted by address, in place of ${by}`)
      config.text('path')
      return { by: 'Address' }
  }
}

function tellCounting(config: Fields): void {
  const { report } = config
  for (const key of Object.keys(counting))
    if (config.has(key)) {
      config.value(key)
      report.changed(config.place(key), counting[key]!)
    }
}

const own = 'each gateway counts by itself, in memory'
const counting: Readonly<Record<string, string>> = {
  policy: own,
  strategy: own,
  sync_rate: own,
  redis: own,
  redis_host: own,
  redis_port: own,
  redis_username: own,
  redis_password: own,
  redis_ssl: own,
  redis_ssl_verify: own,
  redis_server_name: own,
  redis_timeout: own,
  redis_database: own,
  dictionary_name: own,
  namespace: own,
  fault_tolerant: own,
  window_type: 'the last so many seconds are counted, at any time',
  error_code: 'the answer is 429',
  error_message: 'the answer has words of its own',
  hide_client_headers: 'clients are told Retry-After, and not how much is left',
  retry_after_jitter_max: 'clients are told the whole period in Retry-After',
  disable_penalty: 'a request that is refused is not counted',
}

const units: Readonly<Record<string, string>> = { megabytes: 'Mi', kilobytes: 'Ki', bytes: '' }

export function requestSize(config: Fields): Made {
  const size = config.number('allowed_payload_size') ?? 128
  const unit = config.text('size_unit') ?? 'megabytes'
  if (config.flag('require_content_length') !== true)
    config.report.changed(config.at, 'a body that does not say its size gets 411, where Kong counts it')
  if (!Number.isInteger(size) || size < 1 || units[unit] === undefined) {
    config.report.leftOut(
      config.at,
      'expected a whole number of megabytes, kilobytes or bytes; nobody is let in until there is',
    )
    return { isClosed: true }
  }
  return { traffic: { maxBodySize: `${size}${units[unit]}` } }
}

export function termination(config: Fields): Made {
  const { report } = config
  const status = config.number('status_code') ?? 503
  if (status !== 503) report.changed(config.place('status_code'), `the answer is 503, in place of ${status}`)
  const message = config.text('message') ?? config.text('body')
  for (const key of ['body', 'content_type', 'echo'])
    if (config.has(key)) {
      const value = config.value(key)
      if (value !== false) report.changed(config.place(key), 'the answer is plain text')
    }
  if (config.has('trigger')) {
    config.value('trigger')
    report.leftOut(
      config.place('trigger'),
      'all requests are answered so, or none; none is, until you write a TrafficPolicy',
    )
    return {}
  }
  return { traffic: { maintenance: { message: (message ?? 'Service unavailable').slice(0, 4096) } } }
}

export function correlationId(config: Fields): Made {
  const { report } = config
  const header = config.text('header_name') ?? 'Kong-Request-ID'
  const generator = config.text('generator') ?? 'uuid#counter'
  if (generator !== 'uuid') report.changed(config.at, `an id is a UUID, in place of ${generator}`)
  if (config.flag('echo_downstream') !== true) report.changed(config.at, 'the answer has the id, too')
  return { traffic: { requestId: { header } } }
}
