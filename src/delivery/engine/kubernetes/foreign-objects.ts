// Objects that have a name which a delivery wants, and that somebody else made, or Sampan for another service. They are
// never written over: an undo would take them away, and nobody could give them back.
import { httpRoutes } from '../../../api/gateway-api/resources.ts'
import type { Deployment } from '../../../api/generated/models.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import {
  cronJobs,
  deployments,
  ingresses,
  podDisruptionBudgets,
  services,
  statefulSets,
} from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Inability } from '../engine.ts'
import type { Part, Place } from '../parts.ts'
import { cronJobName, label, objectName, selectorText, serviceLabels } from './labels.ts'
import { ifPermitted } from './permitted.ts'
import { policyKindsOf } from './policy-objects.ts'
import type { RouteStyle } from './route-style.ts'
import { hasBudget } from './workload-objects.ts'

export async function foreignObjects(
  client: Client,
  place: Place,
  parts: readonly Part[],
  style: RouteStyle['kind'],
): Promise<Inability[]> {
  const found = await Promise.all(
    parts.flatMap(part => {
      const name = part.kind === 'schedule' ? cronJobName(part.name) : objectName(part.name)
      return resourcesOf(part, style).map(resource =>
        foreignObject(client, { ...place, service: part.service }, resource, name),
      )
    }),
  )
  return found.flat()
}

export const isOwn = ({ metadata: { labels } }: KubeObject, service: string): boolean =>
  Object.entries(serviceLabels(service)).every(([key, value]) => labels?.[key] === value)

function resourcesOf(part: Part, style: RouteStyle['kind']): readonly Resource[] {
  switch (part.kind) {
    case 'workload': {
      const owners = part.storage === undefined ? [deployments] : [deployments, statefulSets]
      return (hasBudget(part, part.instances) ? [...owners, podDisruptionBudgets] : owners) as unknown as Resource[]
    }
    case 'entrance':
      return [services as unknown as Resource]
    case 'schedule':
      return [cronJobs as unknown as Resource]
    case 'route':
      return [(style === 'gateway' ? httpRoutes : ingresses) as unknown as Resource, ...policyKindsOf(part)]
  }
}

async function foreignObject(
  client: Client,
  { namespace, service }: Place,
  resource: Resource,
  name: string,
): Promise<Inability[]> {
  const object = await ifPermitted(client.get(resource, { namespace, name }))
  if (object === undefined || isOwn(object, service)) return []
  const labels = selectorText(serviceLabels(service)).replaceAll(',', ' ')
  const word = resource.kind.toLowerCase()
  // Which instances a workload has is never changed.
  const handOver =
    'replicas' in ((object as Partial<Deployment>).spec ?? {})
      ? ''
      : `, or hand it over: kubectl label --overwrite -n ${namespace} ${word} ${name} ${labels}`
  const whose =
    object.metadata.labels?.[label.managedBy] === 'sampan'
      ? `for ${object.metadata.labels[label.service]}`
      : 'by somebody else'
  return [
    {
      hard: true,
      reason: `the ${resource.kind} "${name}" in the namespace ${namespace} was made ${whose}, and would be changed and taken away with this service; choose another name, or take it away: kubectl delete -n ${namespace} ${word} ${name}${handOver}`,
    },
  ]
}
