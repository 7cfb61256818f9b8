// ResourceQuota: counts what is used in a namespace and writes it to the quota's status. Admission adds
// to the same numbers before it lets a new object pass; this corrects them when something went away. A new
// object is no reason to count: others may be noted already and not be stored yet, and would be forgotten.
import type { KubeObject } from '../../api/object.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { addUsage, inScope, limitedBy, usageOf, type Usage } from '../../api/quota-usage.ts'
import type { Resource } from '../../api/resource.ts'
import { resourceQuotas } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { Client } from '../../client/client.ts'
import type { ControllerContext, ControllerDefinition, Outcome, Reconciler, Watch } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { unlessNotFound } from '../../control/removal.ts'
import { filteredResources, type ResourceSource } from '../../control/resource-source.ts'
import { isFinished } from '../../control/pods.ts'
import { writeStatus } from '../../control/write-status.ts'
import type { Pod } from '../../api/generated/models.ts'

/** How long something may stay noted that was then not stored. */
const recountMs = 300_000

/** @param counted is every namespaced resource that is stored */
export function resourceQuotaController(counted: ResourceSource): ControllerDefinition {
  const watchFor = (resource: Resource): Watch =>
    watch({
      resource,
      ignoresNew: true,
      matters: (object, old) =>
        resource.plural === 'pods' && resource.group === '' && isFinished(object as Pod) !== isFinished(old as Pod),
      keysOf: ({ metadata }, client) => quotasOf(client, metadata.namespace),
    })
  return defineController({
    name: 'resourcequota',
    watches: [
      watch({
        resource: resourceQuotas,
        matters: ({ spec, status }, old) => !sameJson(spec, old.spec) || !sameJson(status?.hard, spec?.hard ?? {}),
        keysOf: quota => [keyOf(quota)],
      }),
    ],
    liveWatches: { resources: filteredResources(counted, resource => resource.plural !== 'resourcequotas'), watchFor },
    reconciler: context => count(context, counted),
  })
}

const quotasOf = (client: Client, namespace: string | undefined): readonly string[] =>
  namespace === undefined ? [] : client.informer(resourceQuotas).list(namespace).map(keyOf)

function count({ client }: ControllerContext, counted: ResourceSource): Reconciler {
  return async function reconcile(key): Promise<Outcome> {
    const quota = client.informer(resourceQuotas).get(splitKey(key))
    if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return 'done'
    const hard = quota.spec?.hard ?? {}
    let used: Usage = limitedBy(hard, {}, true)
    for (const resource of counted.current()) {
      const objects: readonly KubeObject[] = client.informer(resource).list(quota.metadata.namespace)
      for (const object of objects)
        if (inScope(quota, resource, object)) used = addUsage(used, limitedBy(hard, usageOf(resource, object)))
    }
    await unlessNotFound(writeStatus(client, resourceQuotas, quota, { hard: { ...hard }, used: { ...used } }))
    return { requeueAfterMs: recountMs }
  }
}
