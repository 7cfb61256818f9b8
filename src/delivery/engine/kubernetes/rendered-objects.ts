// The objects of parts and bundles as they would be written, without a cluster. Pure.
import { apiVersionOf } from '../../../api/resource.ts'
import type { Bundle, Part } from '../parts.ts'
import { bundleObject } from './bundle-objects.ts'
import { entranceObject, routeObject } from './entrance-objects.ts'
import { scheduleObject } from './schedule-objects.ts'
import type { TypedObject } from './typed-object.ts'
import { workloadObjects } from './workload-objects.ts'

/** @param nowMs a schedule whose start is still to come is another object before it */
export function renderedObjects(
  namespace: string,
  { parts, bundles }: { readonly parts: readonly Part[]; readonly bundles: readonly Bundle[] },
  nowMs: number,
): object[] {
  const all = [
    ...bundles.map(bundle => bundleObject(namespace, bundle)),
    ...parts.flatMap(part => objectsOf(namespace, part, nowMs)),
  ]
  return all.map(({ resource, object }) => ({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...object }))
}

function objectsOf(namespace: string, part: Part, nowMs: number): readonly TypedObject[] {
  switch (part.kind) {
    case 'workload':
      return workloadObjects(namespace, part)
    case 'entrance':
      return [entranceObject(namespace, part)]
    case 'schedule':
      return [scheduleObject(namespace, part, nowMs)]
    case 'route':
      return [routeObject(namespace, part)]
  }
}
