// ResourceQuota: counts what is used in a namespace and writes it to the quota's status. Admission adds
// to the same numbers; this corrects them when something went away.
import { isNotFound } from '../../api/api-error.ts'
import type { KubeObject } from '../../api/object.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { addUsage, inScope, limitedBy, usageOf, type Usage } from '../../api/quota-usage.ts'
import type { Resource } from '../../api/resource.ts'
import { resourceQuotas } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { Client } from '../../client/client.ts'
import type { ControllerContext, ControllerDefinition, Outcome, Reconciler, Watch } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { isFinished } from '../../control/pods.ts'
import type { Pod } from '../../api/generated/models.ts'

/** @param counted is every namespaced resource that is stored */
export function resourceQuotaController(counted: readonly Resource[]): ControllerDefinition {
  const others: Watch[] = counted.filter(resource => resource.plural !== 'resourcequotas').map(resource => watch({
    resource,
    matters: (object, old) => resource.plural === 'pods' && resource.group === '' && isFinished(object as Pod) !== isFinished(old as Pod),
    keysOf: ({ metadata }, client) => quotasOf(client, metadata.namespace),
  }))
  return defineController({
    name: 'resourcequota',
    watches: [watch({ resource: resourceQuotas, keysOf: quota => [keyOf(quota)] }), ...others],
    reconciler: context => count(context, counted),
  })
}

const quotasOf = (client: Client, namespace: string | undefined): readonly string[] => (namespace === undefined ? [] : client.informer(resourceQuotas).list(namespace).map(keyOf))

function count({ client }: ControllerContext, counted: readonly Resource[]): Reconciler {
  return async function reconcile(key): Promise<Outcome> {
    const quota = client.informer(resourceQuotas).get(splitKey(key))
    if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return 'done'
    const hard = quota.spec?.hard ?? {}
    let used: Usage = limitedBy(hard, {}, true)
    for (const resource of counted) {
      const objects: readonly KubeObject[] = client.informer(resource).list(quota.metadata.namespace)
      for (const object of objects) if (inScope(quota, resource, object)) used = addUsage(used, limitedBy(hard, usageOf(resource, object)))
    }
    if (sameJson(quota.status, { hard, used })) return 'done'
    try {
      await client.update(resourceQuotas, { ...quota, status: { hard: { ...hard }, used: { ...used } } }, { subresource: 'status' })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    return 'done'
  }
}
