// Spreads the backends of a service over slices of at most a hundred, moving as few as possible: what is
// in a slice stays there, free room is filled, and only then a new slice is made.
import type { Endpoint, EndpointSlice, Pod, Service } from '../../api/generated/models.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { managedByLabel, serviceNameLabel } from '../../api/endpoint-slice-labels.ts'
import type { Backend, BackendPort, Family } from '../../control/service-backends.ts'
import { backendsOf, byPorts, familiesOf, isHeadless, targetReference } from '../../control/service-backends.ts'

export const manager = 'endpointslice-controller.k8s.io'
const headlessLabel = 'service.kubernetes.io/headless'
const zoneLabel = 'topology.kubernetes.io/zone'
const capacity = 100

export interface SliceContent {
  readonly addressType: Family
  readonly ports: readonly BackendPort[]
  readonly endpoints: Endpoint[]
  readonly labels: Record<string, string>
}

export interface SlicePlan {
  readonly create: readonly SliceContent[]
  readonly update: readonly { readonly slice: EndpointSlice; readonly content: SliceContent }[]
  readonly remove: readonly EndpointSlice[]
}

export interface ObservedService {
  readonly service: Service
  readonly pods: readonly Pod[]
  /** The slices this controller made for the service. */
  readonly slices: readonly EndpointSlice[]
  readonly zoneOf: (nodeName: string) => string | undefined
}

export function planSlices(observed: ObservedService): SlicePlan {
  const { service, slices } = observed
  const plans = familiesOf(service).map(family =>
    planFamily(
      observed,
      family,
      slices.filter(slice => slice.addressType === family),
    ),
  )
  const strangers = slices.filter(slice => !familiesOf(service).includes(slice.addressType as Family))
  return {
    create: plans.flatMap(plan => plan.create),
    update: plans.flatMap(plan => plan.update),
    remove: [...strangers, ...plans.flatMap(plan => plan.remove)],
  }
}

function planFamily(
  { service, pods, zoneOf }: ObservedService,
  addressType: Family,
  slices: readonly EndpointSlice[],
): SlicePlan {
  const labels = labelsOf(service)
  const groups = byPorts(backendsOf(service, pods, addressType))
  if (groups.size === 0) groups.set('[]', [])
  const unused = new Set(slices)
  const contents: { slice: EndpointSlice | undefined; content: SliceContent }[] = []
  for (const [key, backends] of groups) {
    const ports = JSON.parse(key) as BackendPort[]
    const fitting = slices.filter(slice => samePorts(slice, ports))
    for (const slice of fitting) unused.delete(slice)
    const wanted = new Map(backends.map(backend => [backend.pod.metadata.uid, makeEndpoint(backend, zoneOf)]))
    for (const { slice, endpoints } of distribute(fitting, wanted, groups.size === 1))
      contents.push({ slice, content: { addressType, ports, endpoints, labels } })
  }
  const leftover = [...unused]
  const plan = {
    create: [] as SliceContent[],
    update: [] as { slice: EndpointSlice; content: SliceContent }[],
    remove: [] as EndpointSlice[],
  }
  for (const { slice, content } of contents) place(plan, slice ?? leftover.pop(), content)
  plan.remove.push(...leftover)
  return plan
}

function place(
  plan: { create: SliceContent[]; update: { slice: EndpointSlice; content: SliceContent }[] },
  slice: EndpointSlice | undefined,
  content: SliceContent,
): void {
  if (slice === undefined) plan.create.push(content)
  else if (
    !sameJson(slice.endpoints ?? [], content.endpoints) ||
    !samePorts(slice, content.ports) ||
    !sameJson(slice.metadata.labels, content.labels)
  )
    plan.update.push({ slice, content })
}

const samePorts = (slice: EndpointSlice, ports: readonly BackendPort[]): boolean => sameJson(slice.ports ?? [], ports)

/** `keepOne`: an empty slice stays when it is the only one, so that watchers see the service. */
function distribute(
  slices: readonly EndpointSlice[],
  wanted: Map<string, Endpoint>,
  keepOne: boolean,
): { slice: EndpointSlice | undefined; endpoints: Endpoint[] }[] {
  const filled = slices.map(slice => ({
    slice: slice as EndpointSlice | undefined,
    endpoints: (slice.endpoints ?? []).flatMap(endpoint => take(wanted, endpoint.targetRef?.uid)),
  }))
  const rest = [...wanted.values()]
  for (const { endpoints } of filled.toSorted((a, b) => b.endpoints.length - a.endpoints.length))
    endpoints.push(...rest.splice(0, Math.max(0, capacity - endpoints.length)))
  while (rest.length > 0) filled.push({ slice: undefined, endpoints: rest.splice(0, capacity) })
  const used = filled.filter(({ endpoints }) => endpoints.length > 0)
  if (used.length > 0 || !keepOne) return used
  return [filled[0] ?? { slice: undefined, endpoints: [] }]
}

function take(wanted: Map<string, Endpoint>, uid: string | undefined): Endpoint[] {
  const endpoint = uid === undefined ? undefined : wanted.get(uid)
  if (endpoint === undefined) return []
  wanted.delete(uid!)
  return [endpoint]
}

function makeEndpoint(
  { pod, address, ready, serving, terminating, hostname }: Backend,
  zoneOf: (nodeName: string) => string | undefined,
): Endpoint {
  const { nodeName } = pod.spec
  const zone = nodeName ? zoneOf(nodeName) : undefined
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    targetRef: targetReference(pod),
  }
}

function labelsOf(service: Service): Record<string, string> {
  return {
    ...service.metadata.labels,
    ...(isHeadless(service) && { [headlessLabel]: '' }),
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: manager,
  }
}

export const zoneOfLabels = (labels: Readonly<Record<string, string>> | undefined): string | undefined =>
  labels?.[zoneLabel]
