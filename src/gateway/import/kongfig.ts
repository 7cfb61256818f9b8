// kongfig's files, and the APIs that Kong had before services and routes, in the words of today: an API is a service with one
// route. Pure. Source: kongfig, schema; Kong 0.x, API object.
import { isObject } from './fields.ts'
import type { Report } from './report.ts'

type Entity = Readonly<Record<string, unknown>>

export const isKongfig = (source: Entity): boolean =>
  Array.isArray(source['apis']) ||
  ['consumers', 'plugins', 'services', 'upstreams'].some(
    key => Array.isArray(source[key]) && source[key].some((each: unknown) => isObject(each) && hasOwnForm(each)),
  )

const hasOwnForm = (each: Entity): boolean => 'attributes' in each || 'credentials' in each || 'ensure' in each

const credentialNames: Readonly<Record<string, string>> = {
  'key-auth': 'keyauth_credentials',
  'basic-auth': 'basicauth_credentials',
  jwt: 'jwt_secrets',
  'hmac-auth': 'hmacauth_credentials',
  oauth2: 'oauth2_credentials',
}

export function fromKongfig(source: Entity, report: Report): Entity {
  const { apis, services, consumers, plugins, upstreams, ...others } = source
  const rest = { ...others }
  for (const key of ['host', 'https', 'headers'])
    if (key in rest) {
      delete rest[key]
      report.passedOver(key, 'of the server that it was written to')
    }
  for (const removed of [apis, services, consumers, plugins, upstreams]
    .flatMap(list)
    .filter(each => each['ensure'] === 'removed'))
    report.passedOver(
      `ensure: removed of ${String(removed['name'] ?? removed['username'])}`,
      `it was to be taken away, and is not there (${Object.keys(flat(removed)).join(', ')})`,
    )
  return {
    _format_version: '1.1',
    ...rest,
    services: [...present(apis).map(each => serviceOfApi(each, report)), ...present(services).map(serviceOfToday)],
    consumers: present(consumers).map(consumer),
    plugins: present(plugins).map(plugin),
    upstreams: present(upstreams).map(each => ({
      ...flat(each),
      targets: present(each['targets']).map(target => flat(target)),
    })),
  }
}

const list = (value: unknown): readonly Entity[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** What is to be removed is not there. */
const present = (value: unknown): readonly Entity[] => list(value).filter(each => each['ensure'] !== 'removed')

/** What stands in `attributes` stands beside the name; `config.minute: 5` is `config: { minute: 5 }`. */
function flat({ attributes, ensure: _ensure, ...own }: Entity): Entity {
  const all: Record<string, unknown> = { ...own, ...(isObject(attributes) ? attributes : {}) }
  const config: Record<string, unknown> = isObject(all['config']) ? { ...all['config'] } : {}
  for (const key of Object.keys(all))
    if (key.startsWith('config.')) {
      config[key.slice('config.'.length)] = all[key]
      delete all[key]
    }
  return Object.keys(config).length === 0 ? all : { ...all, config }
}

const listed = (value: unknown): unknown =>
  typeof value === 'string'
    ? value
        .split(',')
        .map(each => each.trim())
        .filter(each => each !== '')
    : value

function plugin(each: Entity): Entity {
  const { username, consumer_id: consumer, ...rest } = flat(each)
  const owner = username ?? consumer
  return owner === undefined || owner === null ? rest : { ...rest, consumer: owner }
}

function consumer({ credentials, acls, ...own }: Entity): Entity {
  const made: Record<string, unknown[]> = {}
  for (const each of present(credentials)) {
    const name = String(each['name'])
    const { name: _name, ...fields } = flat(each)
    const key = Object.hasOwn(credentialNames, name)
      ? credentialNames[name]!
      : `credentials of ${name} (${Object.keys(fields).join(', ')})`
    ;(made[key] ??= []).push(
      isObject(each['attributes']) && 'name' in each['attributes']
        ? { ...fields, name: each['attributes']['name'] }
        : fields,
    )
  }
  return { ...flat(own), ...made, ...(acls !== undefined && { acls: present(acls).map(flat) }) }
}

function serviceOfToday(each: Entity): Entity {
  const { routes, plugins, ...own } = each
  return {
    ...flat(own),
    routes: present(routes).map(route => ({ ...flat(route), plugins: present(route['plugins']).map(plugin) })),
    plugins: present(plugins).map(plugin),
  }
}

function serviceOfApi(each: Entity, report: Report): Entity {
  const { plugins, ...own } = each
  const {
    name,
    upstream_url: url,
    hosts,
    request_host: host,
    uris,
    request_path: path,
    methods,
    strip_uri: strips,
    strip_request_path: stripsBefore,
    preserve_host: preserves,
    https_only: secure,
    http_if_terminated: terminated,
    retries,
    upstream_connect_timeout: connect,
    upstream_send_timeout: send,
    upstream_read_timeout: read,
    ...rest
  } = flat(own)
  if (terminated === false) report.passedOver('http_if_terminated', 'it is off')
  const given = (fields: Entity): Entity =>
    Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== ''),
    )
  return {
    ...rest,
    ...given({ name, url, retries, connect_timeout: connect, write_timeout: send, read_timeout: read }),
    routes: [
      given({
        name,
        hosts: listed(hosts ?? host),
        paths: listed(uris ?? path),
        methods: listed(methods),
        // Before 0.10 a path stayed as it was.
        strip_path: strips ?? stripsBefore ?? (path === undefined ? undefined : false),
        preserve_host: preserves,
        ...(secure === true && { protocols: ['https'] }),
        ...(terminated === true && { http_if_terminated: terminated }),
      }),
    ],
    plugins: present(plugins).map(plugin),
  }
}
