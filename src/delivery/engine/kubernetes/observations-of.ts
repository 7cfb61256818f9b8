// Looks at services of a namespace, all of them with one list for each kind of object.
import { httpRoutes } from '../../../api/gateway-api/resources.ts'
import type { KubeObject } from '../../../api/object.ts'
import {
  cronJobs,
  deployments,
  horizontalPodAutoscalers,
  ingresses,
  jobs,
  pods,
  services,
  statefulSets,
} from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Observation } from '../engine.ts'
import { label, labelValue, oneOf } from './labels.ts'
import { observationOf } from './observation.ts'
import { itemsIfPermitted } from './permitted.ts'

/** @returns what there is of one of them */
export async function observationsOf(
  client: Client,
  namespace: string,
  names: readonly string[],
  nowMs: number,
): Promise<(service: string) => Observation> {
  const selection = { namespace, labelSelector: `${label.managedBy}=sampan,${oneOf(label.service, names)}` }
  const [found, sets, instances, entrances, schedules, runs, entering, routed, autoscalers] = await Promise.all([
    client.list(deployments, selection),
    itemsIfPermitted(client.list(statefulSets, selection)),
    client.list(pods, selection),
    client.list(services, selection),
    itemsIfPermitted(client.list(cronJobs, selection)),
    itemsIfPermitted(client.list(jobs, selection)),
    itemsIfPermitted(client.list(ingresses, selection)),
    itemsIfPermitted(client.list(httpRoutes, selection)),
    itemsIfPermitted(client.list(horizontalPodAutoscalers, { namespace })),
  ])
  return service => {
    const own = <T extends KubeObject>(objects: readonly T[]): T[] =>
      objects.filter(({ metadata }) => metadata.labels?.[label.service] === labelValue(service))
    const seen = {
      deployments: own(found.items),
      statefulSets: own(sets),
      pods: own(instances.items),
      services: own(entrances.items),
      cronJobs: own(schedules),
      jobs: own(runs),
      ingresses: own(entering),
      httpRoutes: own(routed),
      autoscalers,
    }
    return observationOf(seen, nowMs)
  }
}
