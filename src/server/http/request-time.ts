// Which requests run without end, and how long the others may take.
import { badRequest } from '../../api/api-error.ts'
import { isPath, type Attributes } from '../auth/attributes.ts'

const longestMs = 60_000
const streams = new Set(['attach', 'exec', 'portforward', 'proxy', 'log'])

export function isLongRunning(attributes: Attributes): boolean {
  return (
    !isPath(attributes) &&
    (attributes.verb === 'watch' || (attributes.subresource !== undefined && streams.has(attributes.subresource)))
  )
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds that a request may take: what it asks for with `timeout=32s`, at most a minute. @throws ApiError BadRequest */
export function allottedMs(query: URLSearchParams): number {
  const text = query.get('timeout')
  if (text === null || text === '') return longestMs
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (parts.map(([whole]) => whole).join('') !== text)
    throw badRequest(`invalid timeout specified in the request URL: "${text}" is no duration such as 30s or 1m`)
  const asked = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * unitsMs[unit!]!, 0)
  return asked === 0 ? longestMs : Math.min(asked, longestMs)
}
