// Takes a release back that runs already, because another one that was delivered together with it failed: the way it
// came, backwards.
import { DeployError } from './deploy-error.ts'
import { delivering, NotTakenBack, type DeliveryOptions } from './delivering.ts'
import type { Place } from './engine/parts.ts'

/**
 * A service that has no release of the group is left as it is.
 * @throws DeployError with the service, what failed and what to do
 */
export async function takeBackGroup(place: Place, group: string, options: DeliveryOptions): Promise<void> {
  // Whoever interrupted the delivery wants exactly this.
  const signal = new AbortController().signal
  try {
    await delivering(place, { ...options, signal }, async delivery => {
      await delivery.takeBackInterrupted()
      const { present } = delivery.situation
      if (present?.group === group)
        await delivery.takeBackPresent('another service that was delivered together with it failed')
    })
  } catch (error) {
    if (error instanceof NotTakenBack) throw error
    const { environment, service } = place
    throw new DeployError(
      `"${service}" could not be taken back: ${(error as Error).message}\nlook at what there is, and go back by hand: sampan history -e ${environment} ${service}, sampan rollback -e ${environment} ${service}`,
    )
  }
}
