// What the slices that mirror an Endpoints object hold: one for each family of addresses and set of ports.
import { isIPv6 } from 'node:net'
import type {
  DiscoveryEndpointPort,
  Endpoint,
  EndpointAddress,
  Endpoints,
  EndpointSlice,
  EndpointSubset,
} from '../../api/generated/models.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { managedByLabel, serviceNameLabel } from '../../api/endpoint-slice-labels.ts'

export const mirrorer = 'endpointslicemirroring-controller.k8s.io'
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const changeTime = 'endpoints.kubernetes.io/last-change-trigger-time'
/** As many addresses of a subset are mirrored. */
const mostAddresses = 1000

export interface MirrorContent {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly addressType: string
  readonly ports: DiscoveryEndpointPort[]
  readonly endpoints: Endpoint[]
}

export interface MirrorPlan {
  readonly create: readonly MirrorContent[]
  readonly update: readonly { readonly slice: EndpointSlice; readonly content: MirrorContent }[]
  readonly remove: readonly EndpointSlice[]
}

/** Whether somebody other than the endpoints controller looks after these, and they mean addresses. */
export const isMirrored = ({ metadata }: Endpoints): boolean =>
  metadata.deletionTimestamp === undefined &&
  metadata.labels?.[skipLabel] !== 'true' &&
  metadata.annotations?.[leaderAnnotation] === undefined

/** @param endpoints is undefined when nothing is to be mirrored (any more) */
export function planMirror(endpoints: Endpoints | undefined, slices: readonly EndpointSlice[]): MirrorPlan {
  const create: MirrorContent[] = []
  const update: { slice: EndpointSlice; content: MirrorContent }[] = []
  const left = new Set(slices)
  for (const content of endpoints === undefined ? [] : contentsOf(endpoints)) {
    const slice = [...left].find(
      ({ addressType, ports }) => addressType === content.addressType && sameJson(ports ?? [], content.ports),
    )
    if (slice === undefined) {
      create.push(content)
      continue
    }
    left.delete(slice)
    if (!sameJson(contentOf(slice), content)) update.push({ slice, content })
  }
  return { create, update, remove: [...left] }
}

const contentOf = ({ metadata, addressType, ports = [], endpoints }: EndpointSlice): MirrorContent => ({
  labels: metadata.labels ?? {},
  annotations: metadata.annotations ?? {},
  addressType,
  ports,
  endpoints: endpoints ?? [],
})

function contentsOf({ metadata, subsets = [] }: Endpoints): MirrorContent[] {
  const labels = { ...metadata.labels, [serviceNameLabel]: metadata.name, [managedByLabel]: mirrorer }
  const { [lastApplied]: _applied, [changeTime]: _time, ...annotations } = metadata.annotations ?? {}
  const contents: MirrorContent[] = []
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(
      ({ name = '', protocol = 'TCP', port, appProtocol }): DiscoveryEndpointPort => ({
        name,
        protocol,
        port,
        ...(appProtocol !== undefined && { appProtocol }),
      }),
    )
    for (const [addressType, endpoints] of Map.groupBy(endpointsOf(subset), ({ addresses }) =>
      isIPv6(addresses[0]!) ? 'IPv6' : 'IPv4',
    ))
      contents.push({ labels, annotations, addressType, ports, endpoints })
  }
  return contents
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset): Endpoint[] {
  const endpoint =
    (ready: boolean) =>
    ({ ip, hostname, nodeName, targetRef }: EndpointAddress): Endpoint => ({
      addresses: [ip],
      conditions: { ready },
      ...(hostname !== undefined && { hostname }),
      ...(nodeName !== undefined && { nodeName }),
      ...(targetRef !== undefined && { targetRef }),
    })
  return [...addresses.map(endpoint(true)), ...notReadyAddresses.map(endpoint(false))].slice(0, mostAddresses)
}
