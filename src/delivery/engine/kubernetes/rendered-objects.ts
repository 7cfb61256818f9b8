// The objects of parts and bundles as they would be written, without a cluster. Pure.
import { apiVersionOf } from '../../../api/resource.ts'
import type { Bundle, Part, Route } from '../parts.ts'
import { bundleObject } from './bundle-objects.ts'
import { entranceObject } from './entrance-objects.ts'
import { policyObjects } from './policy-objects.ts'
import { httpRouteObject, ingressObject } from './route-objects.ts'
import type { GatewayName } from './route-style.ts'
import { scheduleObject } from './schedule-objects.ts'
import type { TypedObject } from './typed-object.ts'
import { workloadObjects } from './workload-objects.ts'

export interface Rendered {
  readonly parts: readonly Part[]
  readonly bundles: readonly Bundle[]
  /** That takes the routes; without one they are Ingresses. */
  readonly gateway: GatewayName | undefined
}

/** @param nowMs a schedule whose start is still to come is another object before it */
export function renderedObjects(namespace: string, { parts, bundles, gateway }: Rendered, nowMs: number): object[] {
  const all = [
    ...bundles.map(bundle => bundleObject(namespace, bundle)),
    ...parts.flatMap(part =>
      part.kind === 'route' ? routeObjects(namespace, part, parts, gateway) : objectsOf(namespace, part, nowMs),
    ),
  ]
  return all.map(({ resource, object }) => ({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...object }))
}

function objectsOf(namespace: string, part: Exclude<Part, Route>, nowMs: number): readonly TypedObject[] {
  switch (part.kind) {
    case 'workload':
      return workloadObjects(namespace, part)
    case 'entrance':
      return [entranceObject(namespace, part)]
    case 'schedule':
      return [scheduleObject(namespace, part, nowMs)]
  }
}

/** Policies first, so that what is applied in this order is never open. */
function routeObjects(
  namespace: string,
  route: Route,
  parts: readonly Part[],
  gateway: GatewayName | undefined,
): readonly TypedObject[] {
  const object = routeObject(namespace, route, parts, gateway)
  return [...policyObjects(namespace, route, [object.resource]), object]
}

/** The entrance is one of the parts, or the manifest would not have been taken. */
function routeObject(
  namespace: string,
  route: Route,
  parts: readonly Part[],
  gateway: GatewayName | undefined,
): TypedObject {
  if (gateway === undefined) return ingressObject(namespace, route)
  const entrances = parts.filter(part => part.kind === 'entrance')
  const portOf = (name: string): number =>
    entrances.find(entrance => entrance.name === name)!.ports.find(port => port.name === route.port)!.port
  return httpRouteObject(namespace, route, gateway, portOf)
}
