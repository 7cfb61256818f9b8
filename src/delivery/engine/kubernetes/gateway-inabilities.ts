// What keeps a Gateway from taking routes. Routes that it would refuse, shares that nobody would weigh and policies that
// nobody would heed are refused here;
// whoever serves it may come later.
import { isFrom } from '../../../api/gateway-api/from-namespaces.ts'
import { gateways, httpRoutes } from '../../../api/gateway-api/resources.ts'
import type { Gateway, Listener } from '../../../api/gateway-api/types.ts'
import { isNotFound } from '../../../api/api-error.ts'
import { namespaces } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Inability } from '../engine.ts'
import type { Place, Route } from '../parts.ts'
import type { Discovery } from './discovery.ts'
import { ifPermitted, isForbidden } from './permitted.ts'
import { isPoliced } from './policy-objects.ts'
import type { GatewayName } from './route-style.ts'

const hard = (reason: string): Inability[] => [{ hard: true, reason }]

export async function gatewayInabilities(
  { client, discovery }: { readonly client: Client; readonly discovery: Discovery },
  { namespace }: Place,
  routes: readonly Route[],
  wanted: GatewayName,
): Promise<Inability[]> {
  const name = `the Gateway "${wanted.namespace}/${wanted.name}"`
  if ((await discovery.serves(httpRoutes)) === false)
    return hard(
      `routes are to be taken by ${name}, and the cluster serves no HTTPRoute of ${httpRoutes.group}/${httpRoutes.version}; install the Gateway API, or take "gateway" out of sampan.yml`,
    )
  const gateway = await gatewayIn(client, wanted)
  if (gateway === 'unknown') return []
  if (gateway === undefined)
    return hard(`${addresses(routes)} would lead nowhere: ${name}, which sampan.yml names, is not there`)
  if (!(await takesFrom(client, gateway, namespace)))
    return hard(
      `${name} takes no HTTPRoutes of the namespace ${namespace}; whoever runs it says which in the allowedRoutes of its listeners`,
    )
  return acceptance(gateway, name, routes)
}

async function gatewayIn(client: Client, name: GatewayName): Promise<Gateway | undefined | 'unknown'> {
  try {
    return await client.get(gateways, name)
  } catch (error) {
    if (isForbidden(error)) return 'unknown'
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Where labels of the namespace decide and are not to be seen, the route's status will tell. */
async function takesFrom(client: Client, { metadata, spec }: Gateway, namespace: string): Promise<boolean> {
  const taking = spec.listeners.filter(takesHttpRoutes)
  const asksLabels = taking.some(({ allowedRoutes }) => allowedRoutes.namespaces.from === 'Selector')
  const seen = asksLabels ? await ifPermitted(client.get(namespaces, { name: namespace })) : undefined
  if (asksLabels && seen === undefined) return true
  return taking.some(({ allowedRoutes }) =>
    isFrom(allowedRoutes.namespaces, namespace, metadata.namespace ?? '', () => seen?.metadata.labels ?? {}),
  )
}

const takesHttpRoutes = ({ protocol, allowedRoutes }: Listener): boolean =>
  ['HTTP', 'HTTPS'].includes(protocol) &&
  (allowedRoutes.kinds === undefined || allowedRoutes.kinds.some(({ kind }) => kind === httpRoutes.kind))

function acceptance({ spec, status }: Gateway, name: string, routes: readonly Route[]): Inability[] {
  const accepted = status?.conditions?.find(({ type }) => type === 'Accepted')
  if (accepted?.status === 'True') return []
  const why =
    accepted?.status === 'False'
      ? `${name} is not accepted (${accepted.reason}: ${accepted.message})`
      : `nothing has accepted ${name}; is there a controller of its class "${spec.gatewayClassName}"?`
  const isNeeded = routes.some(route => route.weights !== undefined || isPoliced(route))
  return [{ hard: isNeeded, reason: `${addresses(routes)} will lead nowhere: ${why}` }]
}

const addresses = (routes: readonly Route[]): string =>
  [...new Set(routes.map(({ host, path }) => `${host}${path}`))].join(', ')
