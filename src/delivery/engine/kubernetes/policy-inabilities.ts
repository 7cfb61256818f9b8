// What keeps policies of routes from being heeded: nothing is dropped, so a route that asks for one is not brought to where
// it would be open.
import { accessPolicies, gatewayClasses, gateways, trafficPolicies } from '../../../api/gateway-api/resources.ts'
import { gatewayClassName, gatewayController, policyGroup, policyVersion } from '../../../api/gateway-names.ts'
import type { Ingress, IngressClass } from '../../../api/generated/models.ts'
import { isDefaultClass } from '../../../api/ingress-classes.ts'
import { ingresses } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Inability } from '../engine.ts'
import type { Place, Route } from '../parts.ts'
import type { Discovery } from './discovery.ts'
import { chosenClass, isOfSampan } from './ingress-class.ts'
import { objectName } from './labels.ts'
import { ifPermitted } from './permitted.ts'
import { isPoliced } from './policy-objects.ts'
import type { GatewayName, RouteStyle } from './route-style.ts'

/** @param classes undefined: they are not to be known, or not asked for */
export async function policyInabilities(
  { client, discovery }: { readonly client: Client; readonly discovery: Discovery },
  place: Place,
  routes: readonly Route[],
  style: RouteStyle,
  classes: readonly IngressClass[] | undefined,
): Promise<Inability[]> {
  const policed = routes.filter(isPoliced)
  if (policed.length === 0) return []
  const served = await Promise.all([accessPolicies, trafficPolicies].map(resource => discovery.serves(resource)))
  if (served.includes(false))
    return [
      refused(
        policed,
        `the cluster serves no AccessPolicy and TrafficPolicy of ${policyGroup}/${policyVersion}, which come with a cluster of Sampan`,
      ),
    ]
  if (style.kind === 'gateway') {
    const other = await otherController(client, style.gateway)
    const name = `the Gateway "${style.gateway.namespace}/${style.gateway.name}"`
    return other === undefined ? [] : [refused(policed, `${name} is served by ${other}, which knows nothing of them`)]
  }
  const found = await Promise.all(policed.map(route => ingressInability(client, place, route, classes)))
  return found.flat()
}

const refused = (routes: readonly Route[], why: string): Inability => ({
  hard: true,
  reason: `${routes.map(({ host, path }) => `${host}${path}`).join(', ')} would be open to everybody, because auth, groups, rateLimit, allow and deny are heeded by Sampan's own gateway alone: ${why}; take them out of the routes, or deliver to a cluster of Sampan`,
})

/** Who serves a Gateway, when it is not Sampan's; undefined, too: it is not to be known. */
async function otherController(client: Client, name: GatewayName): Promise<string | undefined> {
  const className = (await ifPermitted(client.get(gateways, name)))?.spec.gatewayClassName
  if (className === undefined) return undefined
  const gatewayClass = await ifPermitted(client.get(gatewayClasses, { name: className }))
  if (gatewayClass === undefined) return className === gatewayClassName ? undefined : `the class "${className}"`
  return gatewayClass.spec.controllerName === gatewayController ? undefined : gatewayClass.spec.controllerName
}

async function ingressInability(
  client: Client,
  { namespace }: Place,
  route: Route,
  classes: readonly IngressClass[] | undefined,
): Promise<Inability[]> {
  // Where classes are not to be known, it is found out when the Ingress is about to be written.
  if (classes === undefined) return []
  const present = await ifPermitted(client.get(ingresses, { namespace, name: objectName(route.name) }))
  const className =
    chosenClass(classes) ?? present?.spec?.ingressClassName ?? classes.find(isDefaultClass)?.metadata.name
  return isOfSampan(className, classes) ? [] : [refused([route], otherClass(className))]
}

const otherClass = (className: string | undefined): string =>
  className === undefined
    ? 'its Ingress would have no IngressClass of it'
    : `its Ingress would be of the IngressClass "${className}", which is another one's`

/** @returns why an Ingress, as it would be written, is not for policies */
export const unpoliced = (
  route: Route,
  { spec }: Ingress,
  classes: readonly IngressClass[] | undefined,
): string | undefined =>
  isPoliced(route) && !isOfSampan(spec?.ingressClassName, classes)
    ? refused([route], otherClass(spec?.ingressClassName)).reason
    : undefined
