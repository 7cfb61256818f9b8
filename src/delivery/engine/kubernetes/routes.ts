// Brings routes and takes them away, whichever objects they are. One that was the other kind of object before is moved: the
// new object is served before the old one goes, so that no request finds neither. Policies are there before either of them.
import { httpRoutes } from '../../../api/gateway-api/resources.ts'
import { gatewayController } from '../../../api/gateway-names.ts'
import type { Ingress } from '../../../api/generated/models.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import { ingresses, services } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { findObject } from '../../../client/find-object.ts'
import { removeObject } from '../../../control/removal.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Difference, Verdict } from '../engine.ts'
import type { Place, Route } from '../parts.ts'
import type { Patience } from '../patience.ts'
import { untilAccepted } from './accepted-route.ts'
import { apply } from './apply.ts'
import { unbackedEntrances } from './backed-entrances.ts'
import { compare } from './compare.ts'
import { isOwn } from './foreign-objects.ts'
import type { Asked } from './inabilities.ts'
import { chosenClass } from './ingress-class.ts'
import { objectName } from './labels.ts'
import type { LiveOptions } from './live-list.ts'
import { patiently } from './patiently.ts'
import { ifPermitted } from './permitted.ts'
import { unpoliced } from './policy-inabilities.ts'
import { isPoliced, policyObjects } from './policy-objects.ts'
import { ingressClassesOf } from './route-inabilities.ts'
import { RoutePolicies } from './route-policies.ts'
import { httpRouteObject, ingressObject, weightsOf } from './route-objects.ts'
import type { GatewayName, RouteStyle } from './route-style.ts'
import { untilServed } from './served-ingress.ts'
import type { TypedObject } from './typed-object.ts'

const done = { state: 'done' } as const
const failed = (reason: string): Verdict => ({ state: 'failed', reason, lastWords: [] })

export class Routes {
  private readonly client: Client
  private readonly clock: Clock
  private readonly asked: Asked
  private readonly policies: RoutePolicies

  constructor(asked: Asked, clock: Clock) {
    this.client = asked.client
    this.clock = clock
    this.asked = asked
    this.policies = new RoutePolicies(asked.client, clock, asked.discovery)
  }

  async put(place: Place, route: Route, patience: Patience): Promise<Verdict> {
    const style = await patiently(this.clock, patience, () => this.asked.style())
    return style.kind === 'gateway'
      ? this.putHttpRoute(place, route, style.gateway, patience)
      : this.putIngress(place, route, style, patience)
  }

  private async putHttpRoute(place: Place, route: Route, gateway: GatewayName, patience: Patience): Promise<Verdict> {
    const { namespace } = place
    const live = this.live(patience)
    if (route.weights !== undefined) {
      const unbacked = await unbackedEntrances(live, namespace, leadingTo(route))
      patience.signal.throwIfAborted()
      if (unbacked.length > 0) return failed(`nothing that is ready stands behind ${unbacked.join(', ')}`)
    }
    const ports = await patiently(this.clock, patience, () => this.ports(namespace, route))
    const missing = missingPort(route, ports)
    if (missing !== undefined) return failed(missing)
    const other = await patiently(this.clock, patience, () => this.ownObject(ingresses, place, route.name))
    const unheeded = await this.policies.before(place, route, targets(httpRoutes, other && ingresses), patience)
    if (unheeded !== undefined) return failed(unheeded)
    const object = httpRouteObject(namespace, route, gateway, entrance => ports.get(entrance)!)
    const { metadata } = await patiently(this.clock, patience, () => apply(this.client, object))
    const standing = await untilAccepted(live, metadata, gateway)
    const address = `${route.host}${route.path}`
    const ofGateway = `the Gateway "${gateway.namespace}/${gateway.name}"`
    if (standing.state === 'refused') return failed(`${ofGateway} does not take ${address}: ${standing.reason}`)
    if (standing.state === 'open') {
      if (route.weights !== undefined) return failed(`nobody serves ${ofGateway}, so nothing weighs ${address}`)
      if (isPoliced(route)) return failed(`nobody serves ${ofGateway}, so nothing heeds the policies of ${address}`)
    } else if (isPoliced(route) && standing.by !== gatewayController)
      return failed(`${ofGateway} is served by ${standing.by}, which heeds no policies of ${address}`)
    const isMoved = standing.state === 'served' && other !== undefined
    return this.settle(place, route, { mine: httpRoutes, other: isMoved ? ingresses : undefined }, patience)
  }

  private async putIngress(
    place: Place,
    route: Route,
    { because }: Extract<RouteStyle, { kind: 'ingress' }>,
    patience: Patience,
  ): Promise<Verdict> {
    if (route.weights !== undefined)
      return failed(`requests for ${route.host}${route.path} are not weighed: ${because}`)
    const classes = await patiently(this.clock, patience, () => this.ingressClasses())
    const object = ingressObject(place.namespace, route, chosenClass(classes ?? []))
    const other = await patiently(this.clock, patience, () => this.ownObject(httpRoutes, place, route.name))
    if (isPoliced(route)) {
      const would = await patiently(this.clock, patience, () => apply(this.client, object, { dryRun: true }))
      const unheeded =
        unpoliced(route, would as Ingress, classes) ??
        (await this.policies.before(place, route, targets(ingresses, other && httpRoutes), patience))
      if (unheeded !== undefined) return failed(unheeded)
    }
    const { metadata } = await patiently(this.clock, patience, () => apply(this.client, object))
    await untilServed(this.live(patience), metadata, { classes, others: other !== undefined })
    patience.signal.throwIfAborted()
    return this.settle(place, route, { mine: ingresses, other: other && httpRoutes }, patience)
  }

  /** What was there before goes when the new object is heeded with its policies. @param other that it is no more */
  private async settle(
    place: Place,
    route: Route,
    { mine, other }: { readonly mine: RouteKind; readonly other: RouteKind | undefined },
    patience: Patience,
  ): Promise<Verdict> {
    const unheeded = await this.policies.enforced(place, route, mine as Resource, patience)
    if (unheeded !== undefined) return failed(unheeded)
    if (other !== undefined) {
      await this.removeOther(place, route.name, other, patience)
      await this.policies.write(place, route, targets(mine), patience)
    }
    await this.policies.removeSurplus(place, route, patience)
    return done
  }

  /** Whatever it is. */
  async remove(place: Place, name: string): Promise<void> {
    for (const resource of kinds) {
      const found = await this.ownObject(resource, place, name)
      if (found !== undefined) await removeObject(this.client, resource as unknown as Resource, found)
    }
    await this.policies.remove(place, name)
  }

  async compare(place: Place, route: Route): Promise<readonly Difference[] | undefined> {
    const { namespace } = place
    const style = await this.asked.style()
    const other = style.kind === 'gateway' ? ingresses : httpRoutes
    const wanted = await this.objectOf(namespace, route, style)
    const policies = policyObjects(namespace, route, wanted === undefined ? [] : [wanted.resource])
    const found = wanted && (await compare(this.client, [wanted, ...policies]))
    if (found !== undefined) return [...found, ...(await this.policies.surplus(place, route))]
    const mine = style.kind === 'gateway' ? httpRoutes : ingresses
    if ((await this.ownObject(mine, place, route.name)) !== undefined)
      return [{ field: 'entrance', is: 'none', wanted: leadingTo(route).join(' ') }]
    return (await this.ownObject(other, place, route.name)) === undefined
      ? undefined
      : [{ field: 'kind', is: other.kind, wanted: mine.kind }]
  }

  /** undefined: what it is to lead to is not there. */
  private async objectOf(namespace: string, route: Route, style: RouteStyle): Promise<TypedObject | undefined> {
    if (style.kind === 'ingress')
      return ingressObject(namespace, route, chosenClass((await this.ingressClasses()) ?? []))
    const ports = await this.ports(namespace, route)
    if (missingPort(route, ports) !== undefined) return undefined
    return httpRouteObject(namespace, route, style.gateway, entrance => ports.get(entrance)!)
  }

  /** HTTPRoutes know ports by their numbers alone. @returns by entrance */
  private async ports(namespace: string, route: Route): Promise<ReadonlyMap<string, number>> {
    const found = await Promise.all(
      leadingTo(route).map(async entrance => {
        const service = await findObject(this.client, services, { namespace, name: objectName(entrance) })
        const port = service?.spec.ports?.find(({ name }) => name === route.port)?.port
        return port === undefined ? [] : [[entrance, port] as const]
      }),
    )
    return new Map(found.flat())
  }

  private async removeOther(place: Place, name: string, resource: RouteKind, patience: Patience): Promise<void> {
    await patiently(this.clock, patience, async () => {
      const found = await this.ownObject(resource, place, name)
      if (found !== undefined) await removeObject(this.client, resource as unknown as Resource, found)
    })
  }

  /** undefined, too, where it is not to be seen. */
  private async ownObject(
    resource: RouteKind,
    { namespace, service }: Place,
    name: string,
  ): Promise<KubeObject | undefined> {
    const found: KubeObject | undefined = await ifPermitted(
      this.client.get(resource as unknown as Resource, { namespace, name: objectName(name) }),
    )
    return found !== undefined && isOwn(found, service) ? found : undefined
  }

  /** undefined: they are not to be known. */
  private ingressClasses(): ReturnType<typeof ingressClassesOf> {
    return this.asked.inFlight.ask('ingress classes', () => ingressClassesOf(this.client))
  }

  private live({ signal }: Patience): LiveOptions {
    return { client: this.client, clock: this.clock, signal }
  }
}

const kinds = [ingresses, httpRoutes] as const
type RouteKind = (typeof kinds)[number]

/** What policies are for: what a route is to be, and what it still is. */
const targets = (mine: RouteKind, other?: RouteKind): readonly [Resource, ...Resource[]] =>
  [mine, ...(other === undefined ? [] : [other])] as unknown as [Resource, ...Resource[]]

const leadingTo = (route: Route): readonly string[] => weightsOf(route).map(({ entrance }) => entrance)

function missingPort(route: Route, ports: ReadonlyMap<string, number>): string | undefined {
  const missing = leadingTo(route).filter(entrance => !ports.has(entrance))
  if (missing.length === 0) return undefined
  return `${route.host}${route.path} is to lead to the port "${route.port}" of ${missing.join(' and ')}, and there is none`
}
