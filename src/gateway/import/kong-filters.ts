// Plugins of Kong that change requests and answers, as filters of a route. Pure.
// Source: Kong, plugins request-transformer, response-transformer, cors and redirect.
import type { Cors, HeaderModifier, HTTPRouteFilter } from '../../api/gateway-api/types.ts'
import type { Effect } from './effect.ts'
import type { Fields } from './fields.ts'

type Made = Omit<Effect, 'at' | 'plugin' | 'name'>

const isName = (text: string): boolean => /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(text)
/** Some are the gateway's own, and are not for a filter to change. */
const mostHeaders = 16

/** Of requests or of answers; what is done with bodies and parameters has no equal. */
export function transformer(config: Fields, isOfRequests: boolean): Made {
  const { report } = config
  const set = new Map<string, string>()
  const add = new Map<string, string>()
  const remove = new Set<string>()
  let path: Effect['path']
  for (const verb of ['remove', 'rename', 'replace', 'add', 'append'])
    for (const part of partsOf(config, verb)) {
      const at = part.place('headers')
      for (const text of part.texts('headers') ?? []) {
        const [name, value] = verb === 'remove' ? [text, ''] : splitAt(text)
        if (!isName(name) || (verb !== 'remove' && (value === '' || value.includes('$('))))
          report.leftOut(at, `${name}: expected name:value with a value that is always the same; set it in the service`)
        else if (verb === 'rename')
          report.leftOut(at, `${name}: headers are not renamed; have the service read ${name}`)
        else if (verb === 'remove') remove.add(name)
        else if (verb === 'append') add.set(name, value)
        else {
          set.set(name, value)
          report.changed(
            at,
            verb === 'add'
              ? `${name} is set even where it is there already, which Kong leaves as it is`
              : `${name} is set even where it is not there, which Kong leaves so`,
          )
        }
      }
      if (verb === 'replace' && isOfRequests) {
        const uri = part.text('uri')
        if (uri !== undefined && !uri.includes('$(') && uri.startsWith('/'))
          path = { type: 'ReplaceFullPath', replaceFullPath: uri }
        else if (uri !== undefined)
          report.leftOut(
            part.place('uri'),
            'a path cannot be made of parts of the request; have the service take it as it is',
          )
      }
      part.tellRest('only headers are changed on the way; have the service do it')
    }
  if (isOfRequests && config.has('http_method')) {
    config.value('http_method')
    report.leftOut(config.place('http_method'), 'a method is not changed on the way; have the service take it')
  }
  const all = [...set.keys(), ...add.keys(), ...remove]
  if (Math.max(set.size, add.size, remove.size) > mostHeaders)
    report.leftOut(
      config.at,
      `expected at most ${mostHeaders} headers of each kind, found ${all.length}; do the rest in the service`,
    )
  const modifier: HeaderModifier = {
    ...(set.size > 0 && { set: listOf(set) }),
    ...(add.size > 0 && { add: listOf(add) }),
    ...(remove.size > 0 && { remove: [...remove].slice(0, mostHeaders) }),
  }
  const filter: HTTPRouteFilter = isOfRequests
    ? { type: 'RequestHeaderModifier', requestHeaderModifier: modifier }
    : { type: 'ResponseHeaderModifier', responseHeaderModifier: modifier }
  return { ...(all.length > 0 && { filters: [filter] }), ...(path !== undefined && { path }) }
}

const listOf = (all: ReadonlyMap<string, string>): { name: string; value: string }[] =>
  [...all].slice(0, mostHeaders).map(([name, value]) => ({ name, value }))

/** `remove.headers` may also be written as `remove: { headers: }`. */
const partsOf = (config: Fields, verb: string): readonly Fields[] => {
  const part = config.object(verb)
  return part === undefined ? [] : [part]
}

function splitAt(text: string): readonly [string, string] {
  const place = text.indexOf(':')
  return place === -1 ? [text, ''] : [text.slice(0, place).trim(), text.slice(place + 1).trim()]
}

const origin = /^https?:\/\/(?:\*\.)?[A-Za-z0-9.-]+(?::\d{1,5})?$/
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

export function cors(config: Fields): Made {
  const { report } = config
  const origins = config.texts('origins') ?? config.texts('origin') ?? ['*']
  const allowed = origins.includes('*') ? ['*'] : origins.map(plainOrigin).filter(each => origin.test(each))
  const kept = new Set(allowed)
  for (const each of origins)
    if (!kept.has('*') && !kept.has(plainOrigin(each)))
      report.leftOut(
        config.place('origins'),
        `${each}: expected an origin such as https://shop.example.com or https://*.example.com; name them`,
      )
  const asked = config.texts('methods') ?? ['*']
  const maxAge = config.number('max_age')
  for (const [key, why] of [
    ['preflight_continue', 'the gateway answers what browsers ask beforehand, and no service'],
    ['private_network', 'what browsers ask of private networks is not answered'],
  ] as const)
    if (config.flag(key) === true) report.leftOut(config.place(key), `${why}; do without it`)
  config.flag('allow_origin_absent')
  if (kept.size === 0) return {}
  const headers = config.texts('headers') ?? ['*']
  const exposed = config.texts('exposed_headers')
  const credentials = config.flag('credentials')
  const written: Cors = {
    allowOrigins: [...kept].slice(0, 64),
    ...(credentials === true && { allowCredentials: true }),
    allowMethods: asked.includes('*')
      ? ['*']
      : [...new Set(asked.map(each => each.toUpperCase()))].filter(each => methods.has(each)),
    allowHeaders: headers.includes('*') ? ['*'] : [...new Set(headers)].filter(isName).slice(0, 64),
    ...(exposed !== undefined && { exposeHeaders: [...new Set(exposed)].filter(isName).slice(0, 64) }),
    maxAge: maxAge === undefined ? 5 : Math.max(1, Math.round(maxAge)),
  }
  return { filters: [{ type: 'CORS', cors: written }] }
}

/** An expression that means one origin is that. */
const plainOrigin = (text: string): string =>
  text
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .replaceAll(String.raw`\.`, '.')
    .replaceAll(String.raw`\/`, '/')
    .toLowerCase()

const redirectCodes = [301, 302, 303, 307, 308] as const

export function redirect(config: Fields): Made {
  const { report } = config
  const code = config.number('status_code') ?? 301
  const location = config.text('location')
  const keepsPath = config.flag('keep_incoming_path') === true
  const statusCode = redirectCodes.find(each => each === code)
  if (location === undefined || !URL.canParse(location) || statusCode === undefined || !/^https?:/.test(location)) {
    report.leftOut(config.at, `expected a URL and one of ${redirectCodes.join(', ')}; nobody is let in instead`)
    return { isClosed: true }
  }
  const { protocol, hostname, port, pathname, search } = new URL(location)
  if (search !== '') report.changed(config.place('location'), 'without what stands behind the question mark')
  return {
    isAnswered: true,
    filters: [
      {
        type: 'RequestRedirect',
        requestRedirect: {
          scheme: protocol === 'https:' ? 'https' : 'http',
          hostname,
          ...(port !== '' && { port: Number(port) }),
          ...(!keepsPath && { path: { type: 'ReplaceFullPath', replaceFullPath: pathname } }),
          statusCode,
        },
      },
    ],
  }
}
