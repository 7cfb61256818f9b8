// A part of a list of names, as clients ask for it with `n` (at most so many) and `last` (those after it; it need not
// be there), and where the next part is.
export interface Page {
  readonly names: readonly string[]
  /** The query of the next part; undefined when this is the last. */
  readonly next: string | undefined
}

/** The order of the distribution specification: letters whatever their case. */
export const byName = (left: string, right: string): number =>
  compare(left.toLowerCase(), right.toLowerCase()) || compare(left, right)

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

/** @returns undefined when `n` is no number of names */
export function pageOf(names: readonly string[], query: URLSearchParams): Page | undefined {
  const wanted = query.get('n') ?? ''
  if (!/^\d*$/.test(wanted)) return undefined
  const last = query.get('last') ?? ''
  const after = names.toSorted(byName).filter(name => last === '' || byName(name, last) > 0)
  const count = wanted === '' ? after.length : Math.min(Number(wanted), after.length)
  const page = after.slice(0, count)
  const next = new URLSearchParams({ n: wanted, last: page.at(-1) ?? '' })
  return { names: page, next: page.length === 0 || count === after.length ? undefined : String(next) }
}
