// Where servers stand on the ring of a consistent hash: the same server always at the same place, whoever else is there, so
// that one that comes or goes moves no more than its own share. Pure.
// Source: HAProxy's configuration manual 2.6, "hash-type": points are made of the server's id.
import { createHash } from 'node:crypto'

/** Ids that are equal beyond are the same to HAProxy. */
const places = 2 ** 20

/** By name. Of two with the same place the second one gets the next. */
export function ringPlaces(names: Iterable<string>): ReadonlyMap<string, number> {
  const taken = new Set<number>()
  return new Map(
    [...names].toSorted().map(name => {
      let place = createHash('sha256').update(name).digest().readUInt32BE() % places
      while (place === 0 || taken.has(place)) place = (place + 1) % places
      taken.add(place)
      return [name, place] as const
    }),
  )
}
