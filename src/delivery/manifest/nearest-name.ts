// The known name that is most like a mistyped one.

/** undefined: nothing is near enough to be meant. */
export function nearestName(typed: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map(name => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance)
  const best = ranked[0]
  if (best === undefined || best.distance > Math.max(2, Math.floor(typed.length / 3))) return undefined
  return best.distance < Math.min(typed.length, best.name.length) || best.distance === 0 ? best.name : undefined
}

/** What to say behind a name that there is not: the one that was meant, or all there are. */
export function suggestion(typed: string, known: readonly string[]): string {
  const meant = nearestName(typed, known)
  if (meant !== undefined) return `did you mean "${meant}"?`
  return known.length === 0 ? 'there is none' : `there is ${known.join(', ')}`
}

/** `a, b and c` */
export const listed = (names: readonly string[], last: 'and' | 'or'): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} ${last} ${names.at(-1)}`

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
export function editDistance(left: string, right: string): number {
  const rows: number[][] = Array.from({ length: left.length + 1 }, (_unused, index) => [index])
  for (let column = 0; column <= right.length; column++) rows[0]![column] = column
  for (let row = 1; row <= left.length; row++) {
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      let best = Math.min(
        rows[row - 1]![column]! + 1,
        rows[row]![column - 1]! + 1,
        rows[row - 1]![column - 1]! + (same ? 0 : 1),
      )
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      if (swapped) best = Math.min(best, rows[row - 2]![column - 2]! + 1)
      rows[row]![column] = best
    }
  }
  return rows[left.length]![right.length]!
}
