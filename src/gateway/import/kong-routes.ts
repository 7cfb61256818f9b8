// Kong's routes: what they take, in which order, and where they lead. Pure.
// Source: Kong, route; router (traditional_compatible), whose order is by how many conditions a route has, then whether its
// hosts are plain, by how many headers, expressions before prefixes, regex_priority, the length of the prefix.
import { patternProblem } from '../model/patterns.ts'
import type { ImportContext } from './context.ts'
import type { Effect } from './effect.ts'
import type { Fields } from './fields.ts'
import { keyOf, tellUnread, type KongFile, type Owned } from './kong-file.ts'
import type { Plugins } from './kong-plugins.ts'
import type { KongService, KongServices } from './kong-services.ts'
import { patternOf, patternPath, prefixPath, type SourcePath } from './paths.ts'
import type { RoutedPath, SourceHeader, SourceRoute } from './source-route.ts'

export interface KongRoute {
  readonly source: SourceRoute
  readonly effects: readonly Effect[]
}

export interface StreamRoute {
  readonly at: string
  readonly name: string
  readonly ports: readonly number[]
  readonly names: readonly string[]
  readonly service: KongService
  readonly effects: readonly Effect[]
}

const nowhere: KongService = {
  name: 'nothing',
  path: '/',
  isForCalls: false,
  isOff: false,
  backends: [],
  host: undefined,
}
const methodsHere = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

export function kongRoutes(
  file: KongFile,
  { byKey }: KongServices,
  plugins: Plugins,
  context: ImportContext,
): { readonly routes: readonly KongRoute[]; readonly streams: readonly StreamRoute[] } {
  const routes: KongRoute[] = []
  const streams: StreamRoute[] = []
  file.routes.forEach(({ owner, fields }: Owned, index) => {
    const service = owner === undefined ? undefined : byKey.get(owner)
    if (service?.isOff === true) {
      context.report.kept(fields.at, `its service is off, and nothing was made of it (${fields.unread().join(', ')})`)
      return
    }
    const serviceKeys = [owner, service?.name].filter(key => key !== undefined)
    const routeKeys = [fields.text('name'), fields.text('id'), keyOf(fields)].filter(key => key !== undefined)
    const effects = plugins.of(routeKeys, serviceKeys)
    if (
      service === undefined &&
      !effects.some(({ isAnswered, traffic }) => isAnswered === true || traffic?.maintenance)
    )
      context.report.leftOut(
        fields.at,
        `there is no service ${owner ?? 'of it'} in the file, so that it answers 500; import both at once`,
      )
    const made = routeFrom(
      fields,
      service ?? nowhere,
      { effects, index, tellsExpressions: file.tellsExpressions },
      context,
    )
    if (made !== undefined)
      if ('source' in made) routes.push(made)
      else streams.push(made)
    tellUnread(fields)
  })
  return { routes, streams }
}

interface RouteSetting {
  readonly effects: readonly Effect[]
  readonly index: number
  readonly tellsExpressions: boolean
}

function routeFrom(
  fields: Fields,
  service: KongService,
  { effects, index, tellsExpressions }: RouteSetting,
  { report }: ImportContext,
): KongRoute | StreamRoute | undefined {
  const { at } = fields
  const protocols = fields.texts('protocols') ?? (service.isForCalls ? ['grpc', 'grpcs'] : ['http', 'https'])
  const name = fields.text('name') ?? service.name
  const snis = fields.texts('snis') ?? []
  for (const key of ['request_buffering', 'response_buffering'])
    if (fields.has(key)) {
      const value = fields.value(key)
      if (value === false) report.kept(fields.place(key), 'bodies go through as they come, always')
      else report.changed(fields.place(key), 'bodies go through as they come, and are not collected')
    }
  const redirectCode = fields.number('https_redirect_status_code') ?? 426
  const regexPriority = fields.number('regex_priority') ?? 0
  const strips = fields.flag('strip_path') ?? true
  const preserves = fields.flag('preserve_host') ?? false
  const handling = fields.text('path_handling')
  const unusable = (text: string): undefined => {
    for (const key of fields.unread()) fields.value(key)
    return report.leftOut(at, text)
  }
  if (fields.has('expression') || fields.has('priority'))
    return unusable('a route by an expression (expression, priority) is not read; write its hosts, paths and methods')
  if (protocols.includes('udp')) return unusable('UDP is not led anywhere; keep Kong for it')
  if (protocols.some(each => ['tcp', 'tls', 'tls_passthrough'].includes(each)))
    return streamFrom(fields, { name, protocols, snis, service, effects }, report)
  if (fields.has('sources') || fields.has('destinations')) {
    return unusable(
      'sources and destinations have no equal for requests, and without them it would take more; write an AccessPolicy with addresses',
    )
  }
  const hosts = hostsFrom(fields, snis)
  if (hosts === undefined) return unusable('without its hosts it would take the requests of all; it was not made')
  const methods = fields.texts('methods')?.map(method => method.toUpperCase()) ?? []
  const known = methods.filter(method => methodsHere.has(method))
  for (const method of methods)
    if (!known.includes(method))
      report.leftOut(fields.place('methods'), `${method} is no method of HTTPRoute; do without it`)
  if (methods.length > 0 && known.length === 0)
    return unusable('without its methods it would take more; it was not made')
  if (fields.has('methods') && fields.texts('methods') === undefined)
    return unusable('without its methods it would take more; it was not made')
  const headers = headersFrom(fields)
  if (headers === undefined) return unusable('without its headers it would take more; it was not made')
  const given = fields.texts('paths')
  if (fields.has('paths') && given === undefined)
    return unusable('without its paths it would take more; it was not made')
  const hasPaths = (given?.length ?? 0) > 0
  const paths = (hasPaths ? given! : ['/']).flatMap(text => pathFrom(text, tellsExpressions, fields) ?? [])
  if (paths.length === 0) return unusable('none of its paths can be taken, so that it was not made')
  const criteria = [known, hosts, headers, snis, hasPaths ? paths : []].filter(({ length }) => length > 0).length
  const isPlain = hosts.length > 0 && hosts.every(host => !host.includes('*'))
  const isCall = protocols.some(each => each === 'grpc' || each === 'grpcs')
  if (fields.has('regex_priority') && !paths.some(({ kind }) => kind === 'pattern'))
    report.passedOver('regex_priority', 'it says nothing without an expression')
  else if (fields.has('regex_priority'))
    report.kept(fields.place('regex_priority'), 'expressions are tried in this order')
  if (handling === 'v0') report.passedOver('path_handling', 'v0, as here')
  if (handling === 'v1')
    report.changed(fields.place('path_handling'), 'paths are joined as v0 does it: a slash between both, once')
  const replaced = effects.find(effect => effect.path !== undefined)?.path
  const source: SourceRoute = {
    at,
    name,
    hosts,
    ...(isCall && { isForCalls: true }),
    methods: [...new Set(known)],
    headers,
    paths: paths.map((path): RoutedPath => {
      const isPattern = path.kind === 'pattern'
      const change = isCall ? undefined : (replaced ?? changeOf(path, strips, service, hasPaths, fields))
      return {
        path,
        rank: [
          criteria,
          Number(isPlain),
          headers.length,
          Number(isPattern),
          isPattern ? regexPriority : 0,
          hasPaths && !isPattern ? path.value.length : 0,
          -index,
        ],
        ...(change !== undefined && { change }),
      }
    }),
    filters: [...filtersOf(effects, fields), ...hostFilter(preserves, service, fields)],
    isAnswered: effects.some(({ isAnswered }) => isAnswered === true),
    backends: service.backends,
    ...(service.timeout !== undefined && { timeout: service.timeout }),
    ...secureOnlyOf(protocols, redirectCode, fields),
  }
  return { source, effects }
}

/** Of each type a rule may have one. */
function filtersOf(effects: readonly Effect[], { at, report }: Fields): SourceRoute['filters'] {
  const taken = new Map<string, string>()
  return effects.flatMap(({ plugin, filters = [] }) =>
    filters.filter(({ type }) => {
      const before = taken.get(type)
      if (before !== undefined)
        report.leftOut(at, `what ${plugin} does stands beside ${before}, and a rule has one ${type}; write both as one`)
      else taken.set(type, plugin)
      return before === undefined
    }),
  )
}

function secureOnlyOf(
  protocols: readonly string[],
  code: number,
  fields: Fields,
): Pick<SourceRoute, 'secureOnly' | 'plainOnly'> {
  for (const each of protocols)
    if (!['http', 'https', 'grpc', 'grpcs', 'ws', 'wss'].includes(each))
      fields.report.leftOut(fields.place('protocols'), `${each} is not known; do without it`)
  const isPlain = protocols.some(each => ['http', 'grpc', 'ws'].includes(each))
  const isSecure = protocols.some(each => ['https', 'grpcs', 'wss'].includes(each))
  if (fields.has('https_redirect_status_code') && isPlain)
    fields.report.passedOver('https_redirect_status_code', 'it says nothing where plain requests are taken')
  if (isPlain && !isSecure) return { plainOnly: true }
  if (isPlain || !isSecure) return {}
  const redirect = ([301, 302, 307, 308] as const).find(each => each === code)
  if (redirect === undefined)
    fields.report.changed(fields.place('protocols'), 'plain requests are not taken (404), in place of 426')
  return { secureOnly: redirect === undefined ? {} : { redirect } }
}

/** undefined: some are given, and none can be. */
function hostsFrom(fields: Fields, snis: readonly string[]): readonly string[] | undefined {
  const { report } = fields
  const given = fields.texts('hosts')
  if (fields.has('hosts') && given === undefined) return undefined
  const texts = given ?? []
  const hosts = texts.flatMap(text => {
    const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(text.toLowerCase()) ?? []
    if (!/^(?:\*\.)?[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(name)) {
      report.leftOut(fields.place('hosts'), `${text}: expected a name, or *.example.com for all names below; name them`)
      return []
    }
    if (port !== undefined)
      report.changed(fields.place('hosts'), `${text} is taken at all ports, since names have none`)
    return [name]
  })
  if (texts.length > 0 && hosts.length === 0) return undefined
  if (snis.length > 0 && hosts.length === 0) {
    report.changed(
      fields.place('snis'),
      'names that clients ask for by TLS are taken for hosts, so that plain requests need them, too',
    )
    return [...new Set(snis.map(sni => sni.toLowerCase().replace(/\.$/, '')))]
  }
  if (snis.length > 0)
    report.changed(fields.place('snis'), 'which name a client asks for by TLS is not looked at, where there are hosts')
  return [...new Set(hosts)]
}

/** `x-version: [v1, "~*beta.*"]` */
function headersFrom(fields: Fields): readonly SourceHeader[] | undefined {
  const all = fields.object('headers')
  if (all === undefined) return fields.has('headers') ? undefined : []
  const headers: SourceHeader[] = []
  for (const name of all.unread()) {
    const values = all.texts(name)
    if (values === undefined || values.length === 0) return undefined
    const read = values.map(value => ({
      kind: value.startsWith('~*') ? ('pattern' as const) : ('exact' as const),
      value: value.startsWith('~*') ? `.*(?:${value.slice(2)}).*` : value,
    }))
    const problem = read
      .filter(({ kind }) => kind === 'pattern')
      .map(({ value }) => patternProblem(value))
      .find(Boolean)
    if (problem !== undefined) return fields.report.leftOut(all.place(name), problem)
    headers.push({ name, values: read })
  }
  return headers
}

/** Before 3.0 what has other characters than a path was an expression. */
const isPlainPath = (text: string): boolean => /^[a-zA-Z0-9.\-_~/%]*$/.test(text)

function pathFrom(text: string, tellsExpressions: boolean, { report, place }: Fields): SourcePath | undefined {
  const at = place('paths')
  const isExpression = tellsExpressions ? text.startsWith('~') : !isPlainPath(text)
  if (!isExpression && !text.startsWith('/'))
    return report.leftOut(at, `${text}: expected a path that begins with /, or with ~/ for an expression`)
  if (!isExpression) return prefixPath(text)
  const path = patternPath(text.replace(/^~/, ''))
  const problem = patternProblem(patternOf(path))
  if (problem !== undefined) return report.leftOut(at, `${problem}; write it without what RE2 does not have`)
  return path
}

/** Source: Kong, `strip_path` and the path of the service. */
function changeOf(
  path: SourcePath,
  strips: boolean,
  { path: base }: KongService,
  hasPaths: boolean,
  { report, place }: Fields,
): RoutedPath['change'] {
  const plainBase = base === '/' ? '' : base.replace(/\/+$/, '')
  if (path.kind === 'pattern') {
    if (strips && path.whole) return { type: 'ReplaceFullPath', replaceFullPath: base }
    if (!strips && plainBase === '') return undefined
    report.leftOut(
      place(strips ? 'strip_path' : 'paths'),
      `~${path.value}: what an expression fits is not ${strips ? 'cut off' : `put behind ${base}`}, so that the service gets the path as it was asked for; write prefixes, or have the service take it`,
    )
    return undefined
  }
  const prefix = path.value.replace(/\/+$/, '')
  const replacement = strips && hasPaths ? plainBase || '/' : `${plainBase}${prefix}` || '/'
  return replacement === (prefix || '/') ? undefined : { type: 'ReplacePrefixMatch', replacePrefixMatch: replacement }
}

function hostFilter(
  preserves: boolean,
  { host, backends }: KongService,
  { at, report, place, has }: Fields,
): SourceRoute['filters'] {
  if (preserves || host === undefined || backends.length === 0) return []
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(host) && /[a-z]/.test(host))
    return [{ type: 'URLRewrite', urlRewrite: { hostname: host } }]
  report.changed(
    has('preserve_host') ? place('preserve_host') : at,
    `the service gets the Host that was asked for, in place of ${host === '' ? 'that of the instance' : host}`,
  )
  return []
}

function streamFrom(
  fields: Fields,
  {
    name,
    protocols,
    snis,
    service,
    effects,
  }: {
    name: string
    protocols: readonly string[]
    snis: readonly string[]
    service: KongService
    effects: readonly Effect[]
  },
  report: ImportContext['report'],
): StreamRoute | undefined {
  const ports = fields.objects('destinations').flatMap(destination => {
    if (destination.has('ip')) {
      destination.text('ip')
      report.changed(destination.place('ip'), 'the Gateway has an address of its own')
    }
    const port = destination.number('port')
    destination.tellRest('it is not known here')
    return port ?? []
  })
  if (fields.has('sources')) {
    fields.value('sources')
    report.leftOut(
      fields.place('sources'),
      'it takes connections from everywhere; write an AccessPolicy for the Service',
    )
  }
  if (protocols.includes('tls') && !protocols.includes('tls_passthrough')) {
    report.leftOut(
      fields.at,
      `TLS would have to end here, for the names of snis; write a Gateway with a listener of the protocol TLS and its certificate`,
    )
    return undefined
  }
  const isPassed = protocols.includes('tls_passthrough')
  if (!isPassed && ports.length === 0) {
    report.leftOut(fields.at, 'it has no port in destinations, and a listener needs one; write it and import it again')
    return undefined
  }
  if (isPassed && ports.length === 0)
    report.changed(fields.at, 'it listens at port 443 of its Gateway; change it there')
  report.kept(fields.at, `a ${isPassed ? 'TLSRoute' : 'TCPRoute'}, and a listener of a Gateway for it`)
  return {
    at: fields.at,
    name,
    ports: ports.length === 0 ? [443] : ports,
    names: isPassed ? snis.map(each => each.toLowerCase()) : [],
    service,
    effects,
  }
}
