// What services need of each other: names that there are not, and needs that lead in a circle.
import type { Mistake } from '../manifest/field.ts'
import { suggestion } from '../manifest/nearest-name.ts'

/** @param needs by service, as written; nothing in it may be broken */
export function needMistakes(needs: ReadonlyMap<string, readonly string[]>): Mistake[] {
  const known = [...needs.keys()]
  const found: Mistake[] = []
  for (const [service, wanted] of needs)
    for (const [index, need] of wanted.entries()) {
      const path = ['services', service, 'needs', index]
      if (!needs.has(need)) {
        const there = suggestion(
          need,
          known.filter(name => name !== service),
        )
        found.push({ path, message: `expected a service of this file, found ${JSON.stringify(need)}; ${there}` })
      } else {
        const circle = wayBetween(need, service, needs)
        if (circle !== undefined)
          found.push({
            path,
            message: `expected a service that does not need this one, found ${[service, ...circle].join(' → ')}`,
          })
      }
    }
  return found
}

/** The shortest one, both ends included; undefined: none leads there. */
function wayBetween(
  from: string,
  to: string,
  needs: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const ways: string[][] = [[from]]
  const seen = new Set([from])
  for (const way of ways) {
    const last = way.at(-1)!
    if (last === to) return way
    for (const next of needs.get(last) ?? [])
      if (!seen.has(next)) {
        seen.add(next)
        ways.push([...way, next])
      }
  }
  return undefined
}
