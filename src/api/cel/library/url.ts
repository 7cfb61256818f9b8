// Absolute URLs and paths, split by the rules of RFC 3986 as Go does.
import { EvaluationError } from '../cel-error.ts'
import { fixed, overload, type Overload } from '../functions.ts'
import { CelList, CelMap, OpaqueValue } from '../values.ts'
import { traversal } from './standard.ts'

class UrlValue extends OpaqueValue {
  readonly type = 'kubernetes.URL'
  readonly text: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string

  constructor(
    text: string,
    { scheme, host, path, query }: { scheme: string; host: string; path: string; query: string },
  ) {
    super()
    this.text = text
    this.scheme = scheme
    this.host = host
    this.path = path
    this.query = query
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof UrlValue && other.text === this.text
  }
}

/** undefined: it is neither an absolute URL nor an absolute path. */
export function urlOf(text: string): UrlValue | undefined {
  const [, scheme = '', authority = '', path = '', query = ''] =
    /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/s.exec(text) ?? []
  if (scheme === '' && !path.startsWith('/')) return undefined
  if (hasControl(text) || /%(?![0-9a-fA-F]{2})/.test(path)) return undefined
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  if (!/^(?:\[[0-9a-fA-F:.%a-zA-Z]+\]|[^[\]:\s<>"]*)(?::\d*)?$/.test(host)) return undefined
  return new UrlValue(text, { scheme: scheme.toLowerCase(), host, path, query })
}

const hasControl = (text: string): boolean =>
  Array.from(text).some(character => character < ' ' || character === '\x7f')

function url(text: string): UrlValue {
  const parsed = urlOf(text)
  if (parsed === undefined)
    throw new EvaluationError(`URL parse error during conversion from string: ${unparsable(text)}`)
  return parsed
}

/** In the words of Go. */
export const unparsable = (text: string): string =>
  `parse ${JSON.stringify(text)}: ${text === '' ? 'empty url' : 'invalid URI for request'}`

const hostname = ({ host }: UrlValue): string => host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
const port = ({ host }: UrlValue): string => /:(\d*)$/.exec(host)?.[1] ?? ''
const escapedPath = ({ path }: UrlValue): string =>
  path.replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, character => encodeURIComponent(character.toWellFormed()))

function queryOf({ query }: UrlValue): CelMap {
  const values = new Map<string, string[]>()
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const [key, value] = [pair.split('=', 1)[0]!, pair.includes('=') ? pair.slice(pair.indexOf('=') + 1) : '']
    const [name, text] = [unescaped(key), unescaped(value)]
    if (name !== undefined && text !== undefined) values.set(name, [...(values.get(name) ?? []), text])
  }
  return new CelMap([...values].map(([key, list]) => ({ key, value: new CelList(list) })))
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    // A pair that is not well escaped is left out, as in Go.
    return undefined
  }
}

const one = fixed(1)

export const urlFunctions: readonly Overload[] = [
  overload('url(string): kubernetes.URL', url, traversal(0)),
  overload('isURL(string): bool', (text: string) => urlOf(text) !== undefined, traversal(0)),
  overload('kubernetes.URL::getScheme(): string', ({ scheme }: UrlValue) => scheme, one),
  overload('kubernetes.URL::getHost(): string', ({ host }: UrlValue) => host, one),
  overload('kubernetes.URL::getHostname(): string', hostname, one),
  overload('kubernetes.URL::getPort(): string', port, one),
  overload('kubernetes.URL::getEscapedPath(): string', escapedPath, one),
  overload('kubernetes.URL::getQuery(): map(string, list(string))', queryOf, one),
]
