// Kong's declarative files as lists of their entities, wherever they stand: nested (decK) or at the top. Pure.
// Source: decK, file format; Kong, declarative configuration.
import { fieldsOf, isObject, type Fields } from './fields.ts'
import type { Report } from './report.ts'

export interface KongFile {
  readonly services: readonly Fields[]
  readonly routes: readonly Owned[]
  readonly plugins: readonly ScopedPlugin[]
  readonly upstreams: readonly Fields[]
  readonly targets: readonly Owned[]
  readonly consumers: readonly Fields[]
  readonly credentials: readonly OwnedCredential[]
  readonly certificates: readonly Fields[]
  /** By id and by name. */
  readonly authorities: ReadonlyMap<string, Fields>
  /** From 3.0 on a path is an expression where it begins with `~`; before, Kong looked at its characters. */
  readonly tellsExpressions: boolean
}

/** With the name or the id of what it belongs to. */
export interface Owned {
  readonly owner: string | undefined
  readonly fields: Fields
}

export interface ScopedPlugin {
  readonly route?: string
  readonly service?: string
  readonly consumer?: string
  readonly fields: Fields
}

export type CredentialKind = (typeof credentialKinds)[number]
export interface OwnedCredential extends Owned {
  readonly kind: CredentialKind
}

const credentialKinds = [
  'keyauth_credentials',
  'basicauth_credentials',
  'jwt_secrets',
  'acls',
  'hmacauth_credentials',
  'oauth2_credentials',
  'mtls_auth_credentials',
] as const

const noEqual = 'this gateway has no equal; do without it, or keep Kong for it'

/** @param source merged from all files */
export function kongFile(source: Readonly<Record<string, unknown>>, report: Report): KongFile {
  const top = fieldsOf(withDefaults(source), '', report)
  const version = Number(top.text('_format_version') ?? '3.0')
  if (top.has('_format_version')) report.passedOver('_format_version', 'how the file is read')
  if (Number.isNaN(version))
    report.leftOut(
      '_format_version',
      'expected a number such as 3.0, found something else; paths are read as Kong 3 does',
    )
  for (const key of ['_info', '_transform', '_comment', '_workspace', '_konnect', '_plugin_configs'])
    if (top.has(key)) {
      const value = top.value(key)
      if (key === '_plugin_configs')
        report.leftOut(key, 'configurations that plugins share are not looked up; write them out: deck file render')
      else if (key === '_info') tellInfo(value, report)
      else report.passedOver(key, 'of the administration of Kong')
    }
  const services = top.objects('services')
  const routes: Owned[] = [
    ...services.flatMap(service => service.objects('routes').map(fields => ({ owner: keyOf(service), fields }))),
    ...top.objects('routes').map(fields => ({ owner: reference(fields, 'service'), fields })),
  ]
  const consumers = top.objects('consumers')
  const upstreams = top.objects('upstreams')
  const plugins: ScopedPlugin[] = [
    ...services.flatMap(service => service.objects('plugins').map(fields => ({ service: keyOf(service), fields }))),
    ...routes.flatMap(({ fields: route }) => route.objects('plugins').map(fields => ({ route: keyOf(route), fields }))),
    ...consumers.flatMap(consumer =>
      consumer.objects('plugins').map(fields => ({ consumer: keyOf(consumer), fields })),
    ),
    ...top.objects('plugins').map(fields => ({ ...scopeOf(fields), fields })),
  ]
  const credentials = credentialKinds.flatMap(kind => [
    ...consumers.flatMap(consumer => consumer.objects(kind).map(fields => ({ kind, owner: keyOf(consumer), fields }))),
    ...top.objects(kind).map(fields => ({ kind, owner: reference(fields, 'consumer'), fields })),
  ])
  const authorities = new Map(
    top
      .objects('ca_certificates')
      .flatMap(fields => [keyOf(fields), fields.text('id') ?? ''].map(key => [key, fields] as const)),
  )
  const file: KongFile = {
    services,
    routes,
    plugins,
    upstreams,
    targets: [
      ...upstreams.flatMap(upstream => upstream.objects('targets').map(fields => ({ owner: keyOf(upstream), fields }))),
      ...top.objects('targets').map(fields => ({ owner: reference(fields, 'upstream'), fields })),
    ],
    consumers,
    credentials,
    certificates: [...top.objects('certificates'), ...top.objects('snis')],
    authorities,
    tellsExpressions: !(version < 3),
  }
  for (const key of top.unread()) {
    const value = top.value(key)
    if (!Array.isArray(value) || value.length === 0) report.leftOut(key, noEqual)
    else
      for (const fields of fieldsOf({ [key]: value }, '', report).objects(key)) {
        report.leftOut(fields.at, `${noEqual} (${fields.unread().join(', ')})`)
      }
  }
  return file
}

/** That a reference to it may be: name or id. */
export const keyOf = (fields: Fields): string =>
  fields.text('name') ?? fields.text('username') ?? fields.text('custom_id') ?? fields.text('id') ?? fields.at

/** `service: orders`, `service: { name: orders }`, `service: { id: ... }` */
function reference(fields: Fields, key: string): string | undefined {
  const value = fields.value(key)
  if (isObject(value)) {
    const name = value['name'] ?? value['username'] ?? value['id']
    return typeof name === 'string' ? name : undefined
  }
  return typeof value === 'string' ? value : undefined
}

function scopeOf(fields: Fields): Omit<ScopedPlugin, 'fields'> {
  const [route, service, consumer] = ['route', 'service', 'consumer'].map(key => reference(fields, key))
  return {
    ...(route !== undefined && { route }),
    ...(service !== undefined && { service }),
    ...(consumer !== undefined && { consumer }),
  }
}

/** Source: decK, `_info.defaults`. */
function withDefaults(source: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const info = source['_info']
  const defaults = isObject(info) && isObject(info['defaults']) ? info['defaults'] : {}
  const under = (kind: string, value: unknown): unknown =>
    isObject(value) && isObject(defaults[kind]) ? { ...defaults[kind], ...value } : value
  const all = (kind: string, value: unknown): unknown =>
    Array.isArray(value) ? value.map((each: unknown) => under(kind, each)) : value
  const within = (kind: string, inner: string, key: string, value: unknown): unknown =>
    Array.isArray(value)
      ? value.map((each: unknown) =>
          isObject(each) && each[key] !== undefined
            ? under(kind, { ...each, [key]: all(inner, each[key]) })
            : under(kind, each),
        )
      : value
  return {
    ...source,
    ...(source['services'] !== undefined && { services: within('service', 'route', 'routes', source['services']) }),
    ...(source['routes'] !== undefined && { routes: all('route', source['routes']) }),
    ...(source['upstreams'] !== undefined && {
      upstreams: within('upstream', 'target', 'targets', source['upstreams']),
    }),
  }
}

function tellInfo(value: unknown, report: Report): void {
  if (!isObject(value)) return
  for (const key of Object.keys(value)) {
    if (key !== 'defaults') report.passedOver(`_info / ${key}`, 'of the administration of Kong')
    else if (isObject(value[key]))
      for (const kind of Object.keys(value[key]))
        if (['service', 'route', 'upstream', 'target'].includes(kind))
          report.kept(`_info / defaults / ${kind}`, 'written into each that does not say otherwise')
        else report.leftOut(`_info / defaults / ${kind}`, 'these defaults are not written in; do so: deck file render')
  }
}

const bookkeeping: Readonly<Record<string, string>> = {
  id: 'an id of the database of Kong; names take its place',
  created_at: 'a time of the database of Kong',
  updated_at: 'a time of the database of Kong',
  tags: 'a label of the administration of Kong',
  ws_id: 'a workspace of Kong',
}

/** What is nobody's but the database's, and then all the rest. */
export function tellUnread(fields: Fields, why = 'it is not known here, so that nothing was made of it'): void {
  for (const [key, reason] of Object.entries(bookkeeping))
    if (fields.has(key)) {
      fields.value(key)
      fields.report.passedOver(key, reason)
    }
  fields.tellRest(why)
}

/** Routes that a plugin may be for; another one of its name that is nearer to some of them is not looked for. */
export const routesOf = ({ routes }: KongFile, { route, service }: ScopedPlugin): readonly Fields[] =>
  routes
    .filter(({ owner, fields }) => {
      const keys = [fields.text('name'), fields.text('id'), keyOf(fields)]
      return (route === undefined || keys.includes(route)) && (service === undefined || owner === service)
    })
    .map(({ fields }) => fields)
