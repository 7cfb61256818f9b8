// What Kubernetes fills into a pod's specification, shared by Pod and everything with a pod template
// (pkg/apis/core/v1/defaults.go).
import type {
  Container,
  DownwardAPIVolumeFile,
  EnvVar,
  EphemeralContainer,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ProjectedVolumeSource,
  ResourceRequirements,
  Volume,
} from '../generated/models.ts'
import { canonicalizeResourceList, canonicalQuantity } from '../quantity.ts'

const defaultMode = 0o644

/** The template of a workload; missing parts are made, as Kubernetes' structs always exist. */
export function defaultPodTemplate(template: PodTemplateSpec | undefined): PodTemplateSpec {
  const made = template ?? {}
  made.metadata ??= {}
  made.spec = defaultPodSpec(made.spec)
  return made
}

function defaultPodSpec(given: PodSpec | undefined): PodSpec {
  const spec = given ?? ({} as PodSpec)
  // Refused later; until then nobody has to ask whether there are any.
  spec.containers ??= []
  spec.restartPolicy ||= 'Always'
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.schedulerName ||= 'default-scheduler'
  spec.terminationGracePeriodSeconds ??= 30
  spec.securityContext ??= {}
  syncServiceAccount(spec)
  canonicalizeResourceList(spec.overhead)
  if (spec.resources) canonicalizeResources(spec.resources)
  spec.volumes?.forEach(defaultVolume)
  for (const container of allContainers(spec)) defaultContainer(container)
  return spec
}

/** Only pods themselves get these, not templates. */
export function defaultPod(pod: Pod): void {
  pod.spec = defaultPodSpec(pod.spec)
  pod.spec.enableServiceLinks ??= true
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]
  for (const container of containers) if (container.resources) requestsFromLimits(container.resources)
  if (pod.spec.resources) requestsFromLimits(pod.spec.resources)
  if (pod.spec.hostNetwork === true) containers.forEach(hostPorts)
}

function allContainers(spec: PodSpec): (Container | EphemeralContainer)[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]
}

/** `serviceAccount` is the old name of `serviceAccountName`; both are always shown. */
function syncServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (name) spec.serviceAccountName = spec.serviceAccount = name
}

function requestsFromLimits(resources: ResourceRequirements): void {
  if (resources.limits === undefined || Object.keys(resources.limits).length === 0) return
  resources.requests = { ...resources.limits, ...resources.requests }
}

function hostPorts(container: Container): void {
  for (const port of container.ports ?? []) port.hostPort ||= port.containerPort
}

function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= isLatest(container.image ?? '') ? 'Always' : 'IfNotPresent'
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  container.resources ??= {}
  canonicalizeResources(container.resources)
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  container.env?.forEach(defaultEnv)
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe])
    if (probe) defaultProbe(probe)
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop])
    if (handler?.httpGet) defaultHttpGet(handler.httpGet)
}

/** No tag and no digest means `latest`. */
function isLatest(image: string): boolean {
  const [name = '', digest] = image.split('@')
  const tag = /:([^/:]+)$/.exec(name)?.[1]
  return tag === undefined ? digest === undefined : tag === 'latest'
}

function canonicalizeResources(resources: ResourceRequirements): void {
  canonicalizeResourceList(resources.limits)
  canonicalizeResourceList(resources.requests)
}

function defaultEnv({ valueFrom }: EnvVar): void {
  if (valueFrom) defaultFieldSource(valueFrom)
}

function defaultFieldSource({
  fieldRef,
  resourceFieldRef,
}: Pick<DownwardAPIVolumeFile, 'fieldRef' | 'resourceFieldRef'>): void {
  if (fieldRef) fieldRef.apiVersion ||= 'v1'
  if (resourceFieldRef) resourceFieldRef.divisor = canonicalQuantity(resourceFieldRef.divisor ?? '0')
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  if (probe.httpGet) defaultHttpGet(probe.httpGet)
  if (probe.grpc) probe.grpc.service ??= ''
}

function defaultHttpGet(get: { path?: string; scheme?: string }): void {
  get.path ||= '/'
  get.scheme ||= 'HTTP'
}

function defaultVolume(volume: Volume): void {
  if (Object.entries(volume).every(([key, value]) => key === 'name' || value === undefined)) volume.emptyDir = {}
  if (volume.emptyDir?.sizeLimit !== undefined) volume.emptyDir.sizeLimit = canonicalQuantity(volume.emptyDir.sizeLimit)
  if (volume.secret) volume.secret.defaultMode ??= defaultMode
  if (volume.configMap) volume.configMap.defaultMode ??= defaultMode
  if (volume.hostPath) volume.hostPath.type ??= ''
  if (volume.ephemeral?.volumeClaimTemplate?.spec) volume.ephemeral.volumeClaimTemplate.spec.volumeMode ||= 'Filesystem'
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= defaultMode
    volume.downwardAPI.items?.forEach(defaultFieldSource)
  }
  if (volume.projected) defaultProjected(volume.projected)
}

function defaultProjected(projected: ProjectedVolumeSource): void {
  projected.defaultMode ??= defaultMode
  for (const source of projected.sources ?? []) {
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600
    source.downwardAPI?.items?.forEach(defaultFieldSource)
  }
}
