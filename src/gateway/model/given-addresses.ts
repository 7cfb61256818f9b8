// Addresses out of a list that is there for it, for whoever asks for one of his own: what somebody has, he keeps. Pure.
import type { KubeObject } from '../../api/object.ts'

/** @param asking the older ones first @param before what each has by its status */
export function givenAddresses<T extends KubeObject>(
  asking: readonly T[],
  before: (object: T) => string | undefined,
  addresses: readonly string[],
): ReadonlyMap<T, string> {
  const kept = new Map<string, T>()
  for (const object of asking) {
    const address = before(object)
    if (address !== undefined && addresses.includes(address) && !kept.has(address)) kept.set(address, object)
  }
  const given = new Map([...kept].map(([address, object]) => [object, address]))
  const free = addresses.filter(address => !kept.has(address)).values()
  for (const object of asking) {
    if (given.has(object)) continue
    const { value } = free.next()
    if (value !== undefined) given.set(object, value)
  }
  return given
}
