// Which pods stand behind a service, with the ports they really listen on. Shared by the two controllers
// that publish it: Endpoints and EndpointSlice.
import type { ObjectReference, Pod, Service, ServicePort } from '../api/generated/models.ts'
import { matchesLabels } from '../api/label-selector.ts'
import { keyOf } from '../api/object.ts'
import { pods, services } from '../api/resources.ts'
import { sameJson } from '../api/validation/scalars.ts'
import type { Watch } from './controller.ts'
import { watch } from './controller.ts'
import { isFinished, isReady, isTerminating } from './pods.ts'

export interface BackendPort {
  readonly name: string
  readonly port: number
  readonly protocol: string
  readonly appProtocol?: string
}

export interface Backend {
  readonly pod: Pod
  readonly address: string
  /** May receive new connections. */
  readonly ready: boolean
  /** Answers, be it while it ends. */
  readonly serving: boolean
  readonly terminating: boolean
  readonly hostname?: string
  readonly ports: readonly BackendPort[]
}

export type Family = 'IPv4' | 'IPv6'

/** Services without a selector, and those that are only names, are left alone. */
export const isManaged = ({ spec }: Service): boolean =>
  spec.type !== 'ExternalName' && Object.keys(spec.selector ?? {}).length > 0

export const isHeadless = ({ spec }: Service): boolean => spec.clusterIP === 'None'

export const familiesOf = ({ spec }: Service): Family[] => (spec.ipFamilies ?? ['IPv4']) as Family[]

/** In a fixed order, so that equal situations make equal objects. */
export function backendsOf(service: Service, candidates: readonly Pod[], family: Family): Backend[] {
  return candidates
    .filter(pod => !isFinished(pod) && matchesLabels(service.spec.selector, pod.metadata.labels))
    .flatMap(pod => {
      const address = addressOf(pod, family)
      return address === undefined ? [] : [makeBackend(service, pod, address)]
    })
    .sort((a, b) => (a.pod.metadata.name < b.pod.metadata.name ? -1 : 1))
}

function addressOf({ status }: Pod, family: Family): string | undefined {
  const addresses = status.podIPs?.map(({ ip }) => ip) ?? (status.podIP ? [status.podIP] : [])
  return addresses.find(address => address.includes(':') === (family === 'IPv6'))
}

function makeBackend(service: Service, pod: Pod, address: string): Backend {
  const serving = isReady(pod)
  const terminating = isTerminating(pod)
  const named = pod.spec.hostname && pod.spec.subdomain === service.metadata.name
  return {
    pod,
    address,
    serving,
    terminating,
    ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
    ...(named && { hostname: pod.spec.hostname }),
    ports: (service.spec.ports ?? []).flatMap(port => resolvePort(port, pod)),
  }
}

/** A named target port may be another number in every pod; a pod without it lacks that port. */
function resolvePort(
  { name = '', protocol = 'TCP', port, targetPort, appProtocol }: ServicePort,
  pod: Pod,
): BackendPort[] {
  const number = typeof targetPort === 'string' ? namedPort(pod, targetPort, protocol) : targetPort || port
  return number === undefined ? [] : [{ name, port: number, protocol, ...(appProtocol && { appProtocol }) }]
}

function namedPort({ spec }: Pod, name: string, protocol: string): number | undefined {
  const containers = [
    ...spec.containers,
    ...(spec.initContainers ?? []).filter(container => container.restartPolicy === 'Always'),
  ]
  return containers
    .flatMap(container => container.ports ?? [])
    .find(port => port.name === name && (port.protocol ?? 'TCP') === protocol)?.containerPort
}

export function targetReference({ metadata }: Pod): ObjectReference {
  return { kind: 'Pod', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid }
}

/** Backends with the same ports belong together. */
export function byPorts(backends: readonly Backend[]): Map<string, Backend[]> {
  return Map.groupBy(backends, backend => JSON.stringify(backend.ports))
}

/** Pods as far as services care, for every service that selects them. */
export const watchBackends: Watch = watch({
  resource: pods,
  matters: (pod, old) =>
    pod.status.phase !== old.status.phase ||
    isReady(pod) !== isReady(old) ||
    isTerminating(pod) !== isTerminating(old) ||
    pod.spec.nodeName !== old.spec.nodeName ||
    !sameJson(pod.status.podIPs, old.status.podIPs) ||
    pod.status.podIP !== old.status.podIP ||
    !sameJson(pod.metadata.labels, old.metadata.labels),
  keysOf: (pod, client) =>
    client
      .informer(services)
      .list(pod.metadata.namespace)
      .filter(service => isManaged(service) && matchesLabels(service.spec.selector, pod.metadata.labels))
      .map(keyOf),
})
