// An HTTPRoute has arrived when its Gateway has accepted what is written now: every controller of the Gateway API says so.
// What is refused may be taken a moment later, when all that it refers to has been seen.
import { httpRoutes } from '../../../api/gateway-api/resources.ts'
import type { HTTPRoute } from '../../../api/gateway-api/types.ts'
import type { ObjectName } from '../../../api/object.ts'
import type { LiveOptions } from './live-list.ts'
import { liveUntil } from './live-until.ts'
import { standingOf, type RouteStanding } from './route-standing.ts'
import type { GatewayName } from './route-style.ts'

const limitMs = 15_000
const secondThoughtMs = 3_000

export async function untilAccepted(
  live: LiveOptions,
  { namespace = '', name }: ObjectName,
  gateway: GatewayName,
): Promise<RouteStanding> {
  let last: RouteStanding = { state: 'open' }
  const until = (withinMs: number, states: readonly RouteStanding['state'][]): Promise<true | undefined> =>
    liveUntil<HTTPRoute, true>(
      live,
      { resource: httpRoutes, namespace, fieldSelector: `metadata.name=${name}` },
      withinMs,
      ([route]) => {
        last =
          route === undefined ? { state: 'refused', reason: 'it was deleted meanwhile' } : standingOf(route, gateway)
        return states.includes(last.state) ? true : undefined
      },
    )
  await until(limitMs, ['served', 'refused'])
  if (standing().state === 'refused') await until(secondThoughtMs, ['served'])
  live.signal.throwIfAborted()
  return standing()

  function standing(): RouteStanding {
    return last
  }
}
