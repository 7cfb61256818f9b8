// Which objects routes become: HTTPRoutes of a Gateway, which weighs requests, or Ingresses. A Gateway that is named for the
// environment decides; where none is, the one that a Sampan cluster offers, if it is there and to be seen.
import { gatewayClasses, gateways, httpRoutes } from '../../../api/gateway-api/resources.ts'
import { gatewayClassName, gatewayController, offeredGateway } from '../../../api/gateway-names.ts'
import type { Client } from '../../../client/client.ts'
import type { Discovery } from './discovery.ts'
import { ifPermitted } from './permitted.ts'

export interface GatewayName {
  readonly namespace: string
  readonly name: string
}

export type RouteStyle =
  | { readonly kind: 'gateway'; readonly gateway: GatewayName }
  /** `because`: why nothing weighs requests. */
  | { readonly kind: 'ingress'; readonly because: string }

/** @param named for the environment */
export async function routeStyle(
  client: Client,
  discovery: Discovery,
  named: GatewayName | undefined,
): Promise<RouteStyle> {
  if (named !== undefined) return { kind: 'gateway', gateway: named }
  const serves = await discovery.serves(httpRoutes)
  if (serves === true && (await isOffered(client))) return { kind: 'gateway', gateway: offeredGateway }
  return { kind: 'ingress', because: reasons[`${serves}`] }
}

const reasons = {
  undefined: 'whether the cluster could weigh requests is not to be known: you may not ask what it serves',
  false: `the cluster has no gateway that could weigh requests (it serves no HTTPRoute of ${httpRoutes.group}/${httpRoutes.version})`,
  true: 'which Gateway is to weigh them is not known; name one in sampan.yml (gateway: NAMESPACE/NAME)',
} as const

async function isOffered(client: Client): Promise<boolean> {
  const className = (await ifPermitted(client.get(gateways, offeredGateway)))?.spec.gatewayClassName
  if (className === undefined) return false
  const gatewayClass = await ifPermitted(client.get(gatewayClasses, { name: className }))
  return gatewayClass === undefined
    ? className === gatewayClassName
    : gatewayClass.spec.controllerName === gatewayController
}
