// Takes a release back that runs already, because another one that was delivered together with it failed: the way it
// came, backwards.
import { delivering, type DeliveryOptions } from './delivering.ts'
import type { Place } from './engine/parts.ts'

/** A service that has no release of the group is left as it is. */
export async function takeBackGroup(place: Place, group: string, options: DeliveryOptions): Promise<void> {
  // Whoever interrupted the delivery wants exactly this.
  const signal = new AbortController().signal
  await delivering(place, { ...options, signal }, async delivery => {
    await delivery.takeBackInterrupted()
    const { present } = delivery.situation
    if (present?.group === group)
      await delivery.takeBackPresent('another service that was delivered together with it failed')
  })
}
