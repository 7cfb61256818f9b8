// The order of a merged list: what the patch names comes in the patch's order, what only the server has
// keeps the server's order, and between the two the server's order decides where it knows both.
import { isObject } from './json-value.ts'

const idOf = (item: unknown, key: string | undefined): unknown =>
  key !== undefined && isObject(item) ? item[key] : item

/** Splits `items` into those whose id occurs in `named` and the rest. */
export function partition(
  items: readonly unknown[],
  named: readonly unknown[],
  key: string | undefined,
): [inNamed: unknown[], rest: unknown[]] {
  const ids = new Set(named.map(item => idOf(item, key)))
  const [inNamed, rest]: [unknown[], unknown[]] = [[], []]
  for (const item of items) (ids.has(idOf(item, key)) ? inNamed : rest).push(item)
  return [inNamed, rest]
}

function positions(order: readonly unknown[], key: string | undefined): Map<unknown, number> {
  const found = new Map<unknown, number>()
  for (const [index, item] of order.entries()) if (!found.has(idOf(item, key))) found.set(idOf(item, key), index)
  return found
}

function sorted(items: readonly unknown[], order: Map<unknown, number>, key: string | undefined): unknown[] {
  const place = (item: unknown): number => order.get(idOf(item, key)) ?? -1
  return [...items].sort((a, b) => place(a) - place(b))
}

export function normalizeOrder(
  patchItems: readonly unknown[],
  serverOnly: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  key: string | undefined,
): unknown[] {
  const server = positions(serverOrder, key)
  const right = sorted(patchItems, positions(patchOrder, key), key)
  const left = sorted(serverOnly, server, key)
  const merged: unknown[] = []
  let at = 0
  for (const item of right) {
    const itemPlace = server.get(idOf(item, key)) ?? -1
    for (; at < left.length && (server.get(idOf(left[at], key)) ?? Infinity) < itemPlace; at++) merged.push(left[at])
    merged.push(item)
  }
  return [...merged, ...left.slice(at)]
}
