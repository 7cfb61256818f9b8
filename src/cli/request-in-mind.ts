// A request out of what people write of it: a URL, a method and headers, as they would give them to curl.
import type { RequestInMind } from '../gateway/explain-request.ts'
import type { Front } from '../gateway/model/gateway-addresses.ts'
import { plainPath } from '../gateway/model/plain-path.ts'
import { CommandFailure } from './output.ts'

export interface WrittenRequest {
  readonly url: string
  readonly method: string
  /** `Name: value` */
  readonly headers: readonly string[]
}

/** Names are reached at the front, addresses where they are. A URL without a scheme means the front's plain port. */
export function requestInMind({ url: text, method, headers: written }: WrittenRequest, front: Front): RequestInMind {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
  const whole = hasScheme ? text : `http://${text}`
  const url = URL.canParse(whole) ? new URL(whole) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new CommandFailure(`expected a URL such as http://shop.localhost/orders, found "${text}"`)
  if (/%(?![\dA-Fa-f]{2})/.test(url.pathname))
    throw new CommandFailure(
      `expected two hexadecimal digits behind each % of the path, found "${url.pathname}", which the gateway answers with 400`,
    )
  const headers = headersOf(written)
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const usualPort = scheme === 'https' ? 443 : hasScheme ? 80 : front.port
  return {
    scheme,
    address: /^\d+(\.\d+){3}$/.test(url.hostname) ? url.hostname : front.address,
    port: url.port === '' ? usualPort : Number(url.port),
    host: hostOf(headers['host'] ?? url.hostname),
    path: plainPath(url.pathname),
    search: url.search,
    method,
    headers,
    query: firstOfEach(url.searchParams),
  }
}

/** Without a port, and without the dot that says that nothing is left out. */
const hostOf = (text: string): string => text.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase()

function headersOf(written: readonly string[]): Readonly<Record<string, string>> {
  const headers = new Map<string, string>()
  for (const text of written) {
    const [, name, value] = /^([^\s:]+):\s*(.*?)\s*$/.exec(text) ?? []
    if (name === undefined || value === undefined)
      throw new CommandFailure(`expected a header such as 'X-Version: 2', found "${text}"`)
    const before = headers.get(name.toLowerCase())
    headers.set(name.toLowerCase(), before === undefined ? value : `${before},${value}`)
  }
  return Object.fromEntries(headers)
}

function firstOfEach(parameters: URLSearchParams): Readonly<Record<string, string>> {
  const first = new Map<string, string>()
  for (const [name, value] of parameters) if (!first.has(name)) first.set(name, value)
  return Object.fromEntries(first)
}
