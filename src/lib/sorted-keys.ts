// The same JSON value with the keys of every object in order, as Go writes maps: what is compared as bytes
// by clients has to be in this order.

export function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sortedKeys(item)]),
  )
}
