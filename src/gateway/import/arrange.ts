// How paths of another gateway are written here, so that each request still goes where it went: a Gateway tries exact paths,
// then expressions, the longer one first, then prefixes by segments, the longer one first. Pure.
// Source: Gateway API, HTTPRouteRule.matches; src/gateway/model/match-order.ts.
import type { HTTPRouteMatch } from '../../api/gateway-api/types.ts'
import { literalPart, patternOf } from './paths.ts'
import type { Piece } from './source-route.ts'

export interface Arranged {
  readonly piece: Piece
  readonly match: HTTPRouteMatch['path']
  /** That were put in front of an expression, for it to be tried earlier. */
  readonly padding: number
}

/** A longer one is not taken by the kind. */
export const mostPathCharacters = 1024

/** @param pieces in the order in which the other gateway tries them @returns in the same order */
export function arranged(pieces: readonly Piece[]): readonly Arranged[] {
  const literals = new Map(pieces.map(piece => [piece, literalPart(piece.path)]))
  const mayMeet = (one: Piece, other: Piece): boolean => {
    const [left, right] = [literals.get(one)!, literals.get(other)!]
    return (left.startsWith(right) || right.startsWith(left)) && shareHosts(one, other)
  }
  const made: Arranged[] = []
  // From the last: each has to be longer than those that come after it.
  for (let index = pieces.length - 1; index >= 0; index--) {
    const piece = pieces[index]!
    const type = isBeforeOthers(piece, made, mayMeet) ? 'RegularExpression' : typeOf(piece)
    if (type !== 'RegularExpression') {
      made.push({ piece, match: { type, value: plainValue(piece) }, padding: 0 })
      continue
    }
    const text = patternOf(piece.path, restsTakenByOthers(piece, pieces.slice(0, index)))
    const least = made
      .filter(({ match, piece: later }) => match.type === 'RegularExpression' && mayMeet(piece, later))
      .map(
        ({ match, piece: later }) => match.value.length + (match.value === text && isAsTelling(piece, later) ? 0 : 1),
      )
    const padding = Math.max(0, ...least.map(length => length - text.length))
    made.push({ piece, match: { type, value: '^'.repeat(padding) + text }, padding })
  }
  return made.toReversed()
}

/** All paths are the last prefix of all: what goes before others has to be an expression, unless a condition does it. */
const isBeforeOthers = (
  piece: Piece,
  later: readonly Arranged[],
  mayMeet: (one: Piece, other: Piece) => boolean,
): boolean =>
  typeOf(piece) === 'PathPrefix' &&
  piece.change?.type !== 'ReplacePrefixMatch' &&
  later.some(
    ({ piece: other, match }) =>
      mayMeet(piece, other) && !(match.type === 'PathPrefix' && match.value === '/' && isAsTelling(piece, other)),
  )

/** A prefix by segments is what a path can be changed by; the whole of all paths is one in both worlds. */
export function typeOf({ path, change }: Pick<Piece, 'path' | 'change'>): HTTPRouteMatch['path']['type'] {
  if (path.kind === 'exact') return 'Exact'
  if (path.kind === 'pattern') return 'RegularExpression'
  return change?.type === 'ReplacePrefixMatch' || path.value === '/' ? 'PathPrefix' : 'RegularExpression'
}

const plainValue = ({ path }: Piece): string =>
  path.kind === 'prefix' && path.value !== '/' ? path.value.replace(/\/+$/, '') || '/' : path.value

/**
 * Longer prefixes whose path is changed are prefixes here as well, which an expression would go before: it leaves out what
 * they take. Those with conditions leave something to it, so that they stay in it.
 */
function restsTakenByOthers({ path, route }: Piece, before: readonly Piece[]): readonly string[] {
  if (path.kind !== 'prefix' || path.ignoresCase === true) return []
  return before
    .filter(
      other =>
        typeOf(other) === 'PathPrefix' &&
        other.path.value.startsWith(path.value) &&
        other.route.methods.length === 0 &&
        other.route.headers.length === 0 &&
        (other.route.hosts.length === 0 || isCovered(route.hosts, other.route.hosts)),
    )
    .map(other => plainValue(other).slice(path.value.length))
}

const isCovered = (hosts: readonly string[], others: readonly string[]): boolean =>
  hosts.length > 0 && hosts.every(host => others.includes(host))

/** A more telling name goes first whatever the path is, so that paths are in one order where names are the same. */
const shareHosts = ({ route: { hosts: left } }: Piece, { route: { hosts: right } }: Piece): boolean =>
  left.length === 0 || right.length === 0 ? left.length === right.length : left.some(host => right.includes(host))

/** Of two with the same path, the one with a method goes first, then the one with more headers. */
const isAsTelling = ({ route: left }: Piece, { route: right }: Piece): boolean =>
  Number(left.methods.length > 0) > Number(right.methods.length > 0) ||
  (left.methods.length > 0 === right.methods.length > 0 && left.headers.length > right.headers.length)
