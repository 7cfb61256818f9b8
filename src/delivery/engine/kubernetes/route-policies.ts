// Brings the policies of routes and takes them away. A route is never open for a moment: its policies are known to the
// gateway before it is written, and those that it does not ask for any more go after it.
import { accessPolicies } from '../../../api/gateway-api/resources.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import type { Client } from '../../../client/client.ts'
import { removeObject } from '../../../control/removal.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Difference } from '../engine.ts'
import type { Place, Route } from '../parts.ts'
import type { Patience } from '../patience.ts'
import { apply } from './apply.ts'
import type { Discovery } from './discovery.ts'
import { isOwn } from './foreign-objects.ts'
import { objectName } from './labels.ts'
import type { LiveOptions } from './live-list.ts'
import { patiently } from './patiently.ts'
import { ifPermitted } from './permitted.ts'
import { policyKinds, policyKindsOf, policyObjects, type PolicyObject } from './policy-objects.ts'
import { policyStanding, type PolicyStanding } from './policy-standing.ts'
import { untilSettled } from './settled.ts'

export class RoutePolicies {
  private readonly client: Client
  private readonly clock: Clock
  private readonly discovery: Discovery

  constructor(client: Client, clock: Clock, discovery: Discovery) {
    this.client = client
    this.clock = clock
    this.discovery = discovery
  }

  /**
   * Writes those of a route that is about to be written.
   * @param targets kinds of objects that the route is to be, or still is
   * @returns why not; undefined: the gateway knows them
   */
  async before(
    place: Place,
    route: Route,
    targets: readonly [Resource, ...Resource[]],
    patience: Patience,
  ): Promise<string | undefined> {
    await this.write(place, route, targets, patience)
    return this.refusal(place, route, targets[0], ['known', 'enforced'], patience)
  }

  /** @returns why those of a route that was written are not heeded; undefined: they are */
  enforced(place: Place, route: Route, target: Resource, patience: Patience): Promise<string | undefined> {
    return this.refusal(place, route, target, ['enforced'], patience)
  }

  async write(
    { namespace }: Place,
    route: Route,
    targets: readonly [Resource, ...Resource[]],
    patience: Patience,
  ): Promise<void> {
    for (const object of policyObjects(namespace, route, targets))
      await patiently(this.clock, patience, () => apply(this.client, object))
  }

  /** Those that a route does not ask for any more. */
  removeSurplus(place: Place, route: Route, patience: Patience): Promise<void> {
    return patiently(this.clock, patience, () => this.removeAllBut(policyKindsOf(route), place, route.name))
  }

  /** Of a route that has gone. */
  remove(place: Place, name: string): Promise<void> {
    return this.removeAllBut([], place, name)
  }

  /** Those that are there and not asked for. */
  async surplus(place: Place, route: Route): Promise<readonly Difference[]> {
    const found = await this.own(policyKindsOf(route), place, route.name)
    return found.map(({ resource }) => ({ field: resource.kind, is: 'one', wanted: 'none' }))
  }

  private async removeAllBut(kept: readonly Resource[], place: Place, name: string): Promise<void> {
    for (const { resource, object } of await this.own(kept, place, name))
      await removeObject(this.client, resource, object)
  }

  private async own(
    but: readonly Resource[],
    { namespace, service }: Place,
    name: string,
  ): Promise<readonly { readonly resource: Resource; readonly object: KubeObject }[]> {
    if ((await this.discovery.serves(accessPolicies)) === false) return []
    const others = (policyKinds as unknown as readonly Resource[]).filter(
      ({ kind }) => !but.some(each => each.kind === kind),
    )
    const found = await Promise.all(
      others.map(async resource => {
        const object = await ifPermitted(this.client.get(resource, { namespace, name: objectName(name) }))
        return object !== undefined && isOwn(object, service) ? [{ resource, object }] : []
      }),
    )
    return found.flat()
  }

  private async refusal(
    { namespace }: Place,
    route: Route,
    { kind }: Resource,
    good: readonly PolicyStanding['state'][],
    { signal }: Patience,
  ): Promise<string | undefined> {
    const live: LiveOptions = { client: this.client, clock: this.clock, signal }
    const name = objectName(route.name)
    for (const resource of policyKindsOf(route)) {
      const said = await untilSettled<PolicyObject, PolicyStanding>(live, {
        resource: resource as unknown as Resource<PolicyObject>,
        name: { namespace, name },
        standingOf: policy => policyStanding(policy, { kind, name }),
        good,
      })
      if (good.includes(said.state)) continue
      const what = `the ${resource.kind} of ${route.host}${route.path}`
      return said.state === 'refused' ? `${what} is not heeded: ${said.reason}` : `nothing heeds ${what}`
    }
    return undefined
  }
}
