// Mirrors Endpoints that people or programs write for services without a selector into EndpointSlices,
// which is what service addresses and DNS are made from.
import type { Endpoints, EndpointSlice } from '../../api/generated/models.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { endpoints, endpointSlices, services } from '../../api/resources.ts'
import { managedByLabel, serviceNameLabel } from '../../api/endpoint-slice-labels.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { controllerReference } from '../../control/ownership.ts'
import { removeObject } from '../../control/removal.ts'
import type { MirrorContent } from './plan.ts'
import { isMirrored, mirrorer, planMirror } from './plan.ts'

const mirroredKeys = ({ metadata }: EndpointSlice): string[] =>
  metadata.labels?.[managedByLabel] === mirrorer ? [`${metadata.namespace}/${metadata.labels[serviceNameLabel]}`] : []

export const endpointSliceMirroringController = defineController({
  name: 'endpointslice-mirroring',
  primary: endpoints,
  watches: [
    watch({ resource: services, keysOf: service => [keyOf(service)] }),
    watch({ resource: endpointSlices, keysOf: mirroredKeys }),
  ],
  reconciler: reconcileMirrors,
})

function reconcileMirrors({ client }: ControllerContext): Reconciler {
  const endpointsInformer = client.informer(endpoints)
  const serviceInformer = client.informer(services)
  const slicesOf = client.informer(endpointSlices).index('mirrored endpoints', mirroredKeys)

  return async function reconcile(key): Promise<Outcome> {
    const name = splitKey(key)
    const given = endpointsInformer.get(name)
    const service = serviceInformer.get(name)
    const mirrored =
      given !== undefined &&
      isMirrored(given) &&
      service !== undefined &&
      service.metadata.deletionTimestamp === undefined &&
      service.spec.selector === undefined
        ? given
        : undefined
    const slices = slicesOf(key)
    if (mirrored === undefined && slices.length === 0) return 'done'
    const plan = planMirror(mirrored, slices)
    await Promise.all(plan.create.map(content => client.create(endpointSlices, makeSlice(mirrored!, content))))
    await Promise.all(
      plan.update.map(({ slice, content: { labels, annotations, ports, endpoints: addresses } }) =>
        client.update(endpointSlices, {
          ...slice,
          metadata: { ...slice.metadata, labels, annotations },
          ports,
          endpoints: addresses,
        }),
      ),
    )
    await Promise.all(plan.remove.map(slice => removeObject(client, endpointSlices, slice)))
    return 'done'
  }
}

const makeSlice = (owner: Endpoints, { labels, annotations, ...content }: MirrorContent) => ({
  metadata: {
    generateName: `${owner.metadata.name}-`,
    namespace: owner.metadata.namespace,
    labels,
    annotations,
    ownerReferences: [controllerReference(owner, endpoints)],
  },
  ...content,
})
