// Which objects stay parsed. Bytes are kept of every object; the parsed form, several times their size,
// only of those used lately: a ring of fixed size with a hand that passes over what was used since it
// last came by (the CLOCK algorithm).

/** Smaller clusters never parse an object twice. */
const capacity = 2048

export interface Forgettable {
  /** Set by every use, cleared by the hand. */
  used: boolean
  /** Lets the parsed form go. */
  forget(): void
}

const ring: Forgettable[] = []
let hand = 0

/** To be called when the object was parsed. */
export function keepParsed(object: Forgettable): void {
  while (ring[hand]?.used) {
    ring[hand]!.used = false
    advance()
  }
  ring[hand]?.forget()
  ring[hand] = object
  advance()
}

function advance(): void {
  hand = (hand + 1) % capacity
}
