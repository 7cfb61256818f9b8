// Publishes the addresses behind each service as EndpointSlices.
import type { EndpointSlice, Service } from '../../api/generated/models.ts'
import { splitKey } from '../../api/object.ts'
import { endpointSlices, nodes, pods, services } from '../../api/resources.ts'
import { managedByLabel, serviceNameLabel } from '../../api/endpoint-slice-labels.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { controllerReference } from '../../control/ownership.ts'
import { removeObject } from '../../control/removal.ts'
import { isManaged, watchBackends } from '../../control/service-backends.ts'
import type { SliceContent } from './plan.ts'
import { manager, planSlices, zoneOfLabels } from './plan.ts'

const serviceKeys = ({ metadata }: EndpointSlice): string[] =>
  metadata.labels?.[managedByLabel] === manager ? [`${metadata.namespace}/${metadata.labels[serviceNameLabel]}`] : []

export const endpointSliceController = defineController({
  name: 'endpointslice',
  primary: services,
  watches: [watchBackends, watch({ resource: endpointSlices, keysOf: serviceKeys })],
  reconciler: reconcileSlices,
})

function reconcileSlices({ client }: ControllerContext): Reconciler {
  const serviceInformer = client.informer(services)
  const podInformer = client.informer(pods)
  const nodeInformer = client.informer(nodes)
  const slicesOf = client.informer(endpointSlices).index('service', serviceKeys)

  return async function reconcile(key): Promise<Outcome> {
    const name = splitKey(key)
    const service = serviceInformer.get(name)
    const slices = slicesOf(key)
    // Slices of a service that is gone go with it, by their owner reference.
    if (service === undefined || service.metadata.deletionTimestamp !== undefined || !isManaged(service)) return 'done'
    const plan = planSlices({
      service,
      slices,
      pods: podInformer.list(name.namespace),
      zoneOf: node => zoneOfLabels(nodeInformer.get({ name: node })?.metadata.labels),
    })
    await Promise.all(plan.create.map(content => client.create(endpointSlices, makeSlice(service, content))))
    await Promise.all(
      plan.update.map(({ slice, content }) => client.update(endpointSlices, withContent(slice, content))),
    )
    await Promise.all(plan.remove.map(slice => removeObject(client, endpointSlices, slice)))
    return 'done'
  }
}

const makeSlice = (service: Service, { labels, ports, ...content }: SliceContent) => ({
  metadata: {
    generateName: `${service.metadata.name}-`,
    namespace: service.metadata.namespace,
    labels,
    ownerReferences: [controllerReference(service, services)],
  },
  ...content,
  ports: [...ports],
})

const withContent = (slice: EndpointSlice, { labels, ports, endpoints }: SliceContent): EndpointSlice => ({
  ...slice,
  metadata: { ...slice.metadata, labels },
  ports: [...ports],
  endpoints,
})
