// Deletes what has lost its owners, and carries out the two deletions that wait: `foregroundDeletion`
// (dependents first) and `orphan` (dependents forget their owner). Works over whatever kinds it is given.
// A key names resource, object and uid, so that it still means something when the object is gone.
import type { OwnerReference } from '../../api/generated/models.ts'
import type { KubeObject, ObjectName } from '../../api/object.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import type { Resource } from '../../api/resource.ts'
import { groupResource } from '../../api/resource.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { Client, Informer } from '../../client/client.ts'
import { findObject } from '../../client/find-object.ts'
import type { ControllerContext, ControllerDefinition, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { unlessNotFound } from '../../control/removal.ts'
import type { ResourceSource } from '../../control/resource-source.ts'
import { unlessGone } from '../../control/ownership.ts'
import type { OwnerState } from './plan.ts'
import { blocks, foregroundFinalizer, hasFinalizer, isDeleting, isWaiting, orphanFinalizer, planFate } from './plan.ts'

export function garbageCollector(resources: ResourceSource): ControllerDefinition {
  return defineController({
    name: 'garbage-collector',
    liveWatches: {
      resources,
      watchFor: resource =>
        watch({
          resource,
          matters: ownershipChanged,
          keysOf: (object, client) => [keyFor(resource, object), ...waitingOwners(object, resources.current(), client)],
        }),
    },
    concurrency: 20,
    reconciler: context => collectGarbage(resources, context),
  })
}

const ownershipChanged = ({ metadata }: KubeObject, { metadata: old }: KubeObject): boolean =>
  metadata.deletionTimestamp !== old.deletionTimestamp ||
  !sameJson(metadata.ownerReferences, old.ownerReferences) ||
  !sameJson(metadata.finalizers, old.finalizers)

const keyFor = (resource: Resource, object: KubeObject): string =>
  `${groupResource(resource)}|${object.metadata.uid}|${keyOf(object)}`

const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''

/** Whatever version of its kind an owner is named in, it is stored once. */
const resourceFor = (reference: OwnerReference, resources: readonly Resource[]): Resource | undefined =>
  resources.find(resource => resource.kind === reference.kind && resource.group === groupOf(reference.apiVersion))

const nameFor = (reference: OwnerReference, resource: Resource, dependent: KubeObject): ObjectName =>
  resource.scope === 'Namespaced'
    ? { namespace: dependent.metadata.namespace, name: reference.name }
    : { name: reference.name }

/** Owners that wait for this object to go. */
function waitingOwners(object: KubeObject, resources: readonly Resource[], client: Client): string[] {
  return (object.metadata.ownerReferences ?? []).flatMap(reference => {
    const resource = resourceFor(reference, resources)
    const owner = resource && client.informer(resource).get(nameFor(reference, resource, object))
    return owner !== undefined && isDeleting(owner) && owner.metadata.uid === reference.uid
      ? [keyFor(resource!, owner)]
      : []
  })
}

interface Collection {
  readonly resource: Resource
  readonly informer: Informer<KubeObject>
  readonly ownedBy: (uid: string) => readonly KubeObject[]
}

function collectGarbage(resources: ResourceSource, { client, logger }: ControllerContext): Reconciler {
  const collections = (): Collection[] =>
    resources.current().map(resource => {
      const informer = client.informer(resource)
      return {
        resource,
        informer,
        ownedBy: informer.index('owner', object =>
          (object.metadata.ownerReferences ?? []).map(reference => reference.uid),
        ),
      }
    })
  let all = collections()
  resources.subscribe(() => {
    all = collections()
  })

  const dependentsOf = (uid: string): { resource: Resource; object: KubeObject }[] =>
    all.flatMap(({ resource, ownedBy }) => ownedBy(uid).map(object => ({ resource, object })))

  return async function reconcile(key): Promise<Outcome> {
    const [collection = '', uid = '', name = ''] = key.split('|')
    const known = all.find(one => groupResource(one.resource) === collection)
    const object = known?.informer.get(splitKey(name))
    if (known === undefined || object === undefined || object.metadata.uid !== uid)
      await Promise.all(dependentsOf(uid).map(dependent => decide(dependent.object, dependent.resource)))
    else if (!isDeleting(object)) await decide(object, known.resource)
    else if (hasFinalizer(object, orphanFinalizer)) await orphan(object, known.resource)
    else if (hasFinalizer(object, foregroundFinalizer)) await deleteDependents(object, known.resource)
    return 'done'
  }

  async function decide(object: KubeObject, resource: Resource): Promise<void> {
    const references = object.metadata.ownerReferences ?? []
    if (references.length === 0 || isDeleting(object)) return
    const states = new Map(
      await Promise.all(references.map(async reference => [reference, await stateOf(reference, object)] as const)),
    )
    const dependents = dependentsOf(object.metadata.uid)
    const fate = planFate(object, states, dependents.length > 0)
    if (fate.action === 'disown') await disown(object, resource, fate.uids)
    if (fate.action !== 'delete') return
    if (fate.propagationPolicy === 'Foreground' && dependents.some(dependent => isWaiting(dependent.object)))
      await unblock(object, resource)
    logger.debug('deleting an object without owners', { kind: resource.kind, object: keyOf(object) })
    await unlessGone(
      client.delete(resource, object.metadata, {
        propagationPolicy: fate.propagationPolicy,
        preconditions: { uid: object.metadata.uid },
      }),
    )
  }

  /** Kinds that are not watched cannot be judged: their objects count as existing. */
  async function stateOf(reference: OwnerReference, dependent: KubeObject): Promise<OwnerState> {
    const owners = resourceFor(
      reference,
      all.map(({ resource }) => resource),
    )
    const known = all.find(({ resource }) => resource === owners)
    if (known === undefined) return 'solid'
    if (known.resource.scope === 'Namespaced' && !dependent.metadata.namespace) return 'solid'
    const name = nameFor(reference, known.resource, dependent)
    // A cache may lag; before an object is called gone the server is asked.
    const owner = known.informer.get(name) ?? (await findObject(client, known.resource, name))
    if (owner?.metadata.uid !== reference.uid) return 'gone'
    return isWaiting(owner) ? 'waiting' : 'solid'
  }

  async function disown(object: KubeObject, resource: Resource, uids: readonly string[]): Promise<void> {
    const { uid, ownerReferences = [], resourceVersion } = object.metadata
    const kept = ownerReferences.filter(reference => !uids.includes(reference.uid))
    await client.patch(resource, object.metadata, {
      type: 'merge',
      value: { metadata: { uid, resourceVersion, ownerReferences: kept.length === 0 ? null : kept } },
    })
  }

  /** In a circle of owners everything would wait for everything: this object no longer holds its owners up. */
  async function unblock(object: KubeObject, resource: Resource): Promise<void> {
    const { uid, ownerReferences = [] } = object.metadata
    if (!ownerReferences.some(reference => reference.blockOwnerDeletion === true)) return
    const unblocked = ownerReferences.map(reference =>
      reference.blockOwnerDeletion === true ? { ...reference, blockOwnerDeletion: false } : reference,
    )
    await client.patch(resource, object.metadata, {
      type: 'merge',
      value: { metadata: { uid, ownerReferences: unblocked } },
    })
  }

  async function orphan(owner: KubeObject, resource: Resource): Promise<void> {
    await Promise.all(
      dependentsOf(owner.metadata.uid).map(dependent =>
        disown(dependent.object, dependent.resource, [owner.metadata.uid]),
      ),
    )
    await removeFinalizer(owner, resource, orphanFinalizer)
  }

  async function deleteDependents(owner: KubeObject, resource: Resource): Promise<void> {
    const { uid } = owner.metadata
    await Promise.all(dependentsOf(uid).map(dependent => decide(dependent.object, dependent.resource)))
    if (!dependentsOf(uid).some(dependent => blocks(dependent.object, uid)))
      await removeFinalizer(owner, resource, foregroundFinalizer)
  }

  async function removeFinalizer(object: KubeObject, resource: Resource, finalizer: string): Promise<void> {
    const current = client.informer(resource).get(object.metadata)
    if (current === undefined || current.metadata.uid !== object.metadata.uid || !hasFinalizer(current, finalizer))
      return
    const finalizers = current.metadata.finalizers!.filter(one => one !== finalizer)
    await unlessNotFound(
      client.patch(resource, current.metadata, {
        type: 'merge',
        value: { metadata: { resourceVersion: current.metadata.resourceVersion, finalizers } },
      }),
    )
  }
}
