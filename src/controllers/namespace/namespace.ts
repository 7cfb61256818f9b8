// Empties namespaces that are being deleted, pods first, and finalizes them when nothing is left.
import type { Namespace, NamespaceCondition } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import type { Resource } from '../../api/resource.ts'
import { groupResource } from '../../api/resource.ts'
import { namespaces } from '../../api/resources.ts'
import type { ControllerContext, ControllerDefinition, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { removeObject } from '../../control/removal.ts'
import { filteredResources, type ResourceSource } from '../../control/resource-source.ts'
import { writeStatus } from '../../control/write-status.ts'
import { formatTime } from '../../lib/clock.ts'

const finalizer = 'kubernetes'
/**
 * Whoever deletes a namespace and then, one by one, what is in it (`kubectl delete -f`) still finds the rest.
 * Kubernetes waits five seconds. Counted from whole seconds, so that it is one second at least.
 */
const graceMs = 2_000

export function namespaceController(resources: ResourceSource): ControllerDefinition {
  const contents = filteredResources(resources, resource => resource.scope === 'Namespaced')
  return defineController({
    name: 'namespace',
    primary: namespaces,
    liveWatches: {
      resources: contents,
      watchFor: resource =>
        watch({
          resource,
          keysOf: ({ metadata: { namespace = '' } }, client) =>
            client.informer(namespaces).get({ name: namespace })?.metadata.deletionTimestamp === undefined
              ? []
              : [namespace],
        }),
    },
    reconciler: context => reconcileNamespaces(contents, context),
  })
}

interface Remaining {
  readonly resource: Resource
  readonly objects: readonly KubeObject[]
}

/** Pods go before everything else, so that they can still read what they need while they end. */
export function planDeletion(remaining: readonly Remaining[]): Remaining[] {
  const podsFirst = remaining.filter(({ resource }) => resource.group === '' && resource.plural === 'pods')
  const now = podsFirst.length > 0 ? podsFirst : remaining
  return now.map(({ resource, objects }) => ({
    resource,
    objects: objects.filter(object => object.metadata.deletionTimestamp === undefined),
  }))
}

export function planConditions(
  remaining: readonly Remaining[],
  before: readonly NamespaceCondition[],
  nowMs: number,
): NamespaceCondition[] {
  const holding = new Map<string, number>()
  for (const { objects } of remaining)
    for (const { metadata } of objects)
      for (const one of metadata.finalizers ?? []) holding.set(one, (holding.get(one) ?? 0) + 1)
  const counts = remaining
    .map(({ resource, objects }) => `${groupResource(resource)}. has ${objects.length} resource instances`)
    .sort()
  const finalizers = Array.from(holding, ([name, count]) => `${name} in ${count} resource instances`).sort()
  const wanted: Omit<NamespaceCondition, 'lastTransitionTime'>[] = [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      status: 'False',
      reason: 'ResourcesDiscovered',
      message: 'All resources successfully discovered',
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      status: 'False',
      reason: 'ParsedGroupVersions',
      message: 'All legacy kube types successfully parsed',
    },
    {
      type: 'NamespaceDeletionContentFailure',
      status: 'False',
      reason: 'ContentDeleted',
      message: 'All content successfully deleted, may be waiting on finalization',
    },
    counts.length > 0
      ? {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${counts.join(', ')}`,
        }
      : {
          type: 'NamespaceContentRemaining',
          status: 'False',
          reason: 'ContentRemoved',
          message: 'All content successfully removed',
        },
    finalizers.length > 0
      ? {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`,
        }
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'False',
          reason: 'ContentHasNoFinalizers',
          message: 'All content-preserving finalizers finished',
        },
  ]
  return wanted.map(condition => {
    const old = before.find(one => one.type === condition.type)
    return Object.assign(condition, {
      lastTransitionTime: old?.status === condition.status ? old.lastTransitionTime : formatTime(nowMs),
    })
  })
}

function reconcileNamespaces(contents: ResourceSource, { client, clock }: ControllerContext): Reconciler {
  const informer = client.informer(namespaces)

  const observe = (name: string): Remaining[] =>
    contents
      .current()
      .map(resource => ({ resource, objects: client.informer(resource).list(name) }))
      .filter(({ objects }) => objects.length > 0)

  return async function reconcile(name): Promise<Outcome> {
    const namespace = informer.get({ name })
    if (namespace?.metadata.deletionTimestamp === undefined || !namespace.spec.finalizers?.includes(finalizer))
      return 'done'
    const waitMs = Date.parse(namespace.metadata.deletionTimestamp) + graceMs - clock.now()
    if (waitMs > 0) return { requeueAfterMs: Math.min(waitMs, graceMs) }
    await Promise.all(
      planDeletion(observe(name)).flatMap(({ resource, objects }) =>
        objects.map(object => removeObject(client, resource, object, { propagationPolicy: 'Background' })),
      ),
    )
    const remaining = observe(name)
    if (remaining.length === 0) return finalize(namespace)
    await writeStatus(client, namespaces, namespace, {
      phase: 'Terminating',
      conditions: planConditions(remaining, namespace.status.conditions ?? [], clock.now()),
    })
    // Objects of kinds that go without an event of their own are found again a little later.
    return { requeueAfterMs: 1_000 }
  }

  async function finalize(namespace: Namespace): Promise<Outcome> {
    const finalizers = (namespace.spec.finalizers ?? []).filter(one => one !== finalizer)
    await client.update(
      namespaces,
      { ...namespace, spec: { ...namespace.spec, finalizers } },
      { subresource: 'finalize' },
    )
    return 'done'
  }
}
