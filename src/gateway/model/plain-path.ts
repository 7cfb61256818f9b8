// A path as the gateway compares it: what need not be encoded is not, what has to be is, with capital digits, and slashes
// and dots that lead nowhere are gone. HAProxy does the same to requests (haproxy/lines.ts). Pure. Source: RFC 3986, 6.2.2.

/** An encoded slash stays as it is. */
export function plainPath(path: string): string {
  const encoded = path
    .replaceAll(/%(?![\dA-Fa-f]{2})/g, '%25')
    .replaceAll(/[^\u0021-\u007E]|["#<>?\\^`{|}]/gu, character => encodeURIComponent(character))
    .replaceAll(/%[\dA-Fa-f]{2}/g, escape => {
      const character = String.fromCodePoint(Number.parseInt(escape.slice(1), 16))
      return unreserved.test(character) ? character : escape.toUpperCase()
    })
  return withoutDots(encoded.replaceAll(/\/+/g, '/'))
}

/**
 * The same path as services read it that decode slashes, take a backslash for one, or leave out what stands behind a
 * semicolon: where that leads elsewhere, it would be a way around the rule for it. Undefined: it is read in one way.
 */
export function otherReading(plain: string): string | undefined {
  if (!/%2F|%5C|[\\;]/.test(plain)) return undefined
  const other = withoutDots(
    plain
      .replaceAll(/%2F|%5C|\\/g, '/')
      .replaceAll(/;[^/]*/g, '')
      .replaceAll(/\/+/g, '/'),
  )
  return other === plain ? undefined : other
}

const unreserved = /^[\w.~-]$/

function withoutDots(path: string): string {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1
    if (segment === '..') kept.pop()
    if (segment !== '.' && segment !== '..') kept.push(segment)
    else if (isLast) kept.push('')
  })
  return `/${kept.join('/')}`
}
