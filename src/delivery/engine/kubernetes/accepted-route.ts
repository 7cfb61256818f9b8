// An HTTPRoute has arrived when its Gateway has accepted what is written now: every controller of the Gateway API says so.
import { httpRoutes } from '../../../api/gateway-api/resources.ts'
import type { HTTPRoute } from '../../../api/gateway-api/types.ts'
import type { ObjectName } from '../../../api/object.ts'
import type { LiveOptions } from './live-list.ts'
import { standingOf, type RouteStanding } from './route-standing.ts'
import type { GatewayName } from './route-style.ts'
import { untilSettled } from './settled.ts'

export const untilAccepted = (live: LiveOptions, name: ObjectName, gateway: GatewayName): Promise<RouteStanding> =>
  untilSettled<HTTPRoute, RouteStanding>(live, {
    resource: httpRoutes,
    name,
    standingOf: route => standingOf(route, gateway),
    good: ['served'],
  })
