// NodeRestriction: what a node writes is its own Node, Lease and CSINode, the status of its own pods, and
// tokens for them. Source: plugin/pkg/admission/noderestriction.
import { forbidden, notFound, type ApiError } from '../../api/api-error.ts'
import type {
  AuthenticationTokenRequest as TokenRequest,
  CSIDriver,
  Node,
  OwnerReference,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ResourceSlice,
} from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { claimNameOf } from '../../api/persistent-storage.ts'
import { podReferences } from '../../api/pod-references.ts'
import { groupResource } from '../../api/resource.ts'
import { csiDrivers, nodes, persistentVolumeClaims, persistentVolumes, pods } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { nodeLeaseNamespace, nodeNameOf } from '../auth/node-authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts'

const mirrorAnnotation = 'kubernetes.io/config.mirror'

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  // Before the kind prepares the object, so that nothing a node asks for is dropped without a word.
  mutate(request, context) {
    if (request.operation === 'CONNECT') return
    const { user } = request.caller
    const node = nodeNameOf(user)
    if (node === undefined) return
    if (node === '') throw refusal(request, `could not determine node from user ${JSON.stringify(user.username)}`)
    switch (groupResource(request.target.kind.resource)) {
      case 'pods':
        return checkPod(node, request, context)
      case 'nodes':
        return checkNode(node, request)
      case 'persistentvolumeclaims':
        return checkClaim(node, request)
      case 'serviceaccounts':
        return checkToken(node, request, context)
      case 'leases.coordination.k8s.io':
        return checkLease(node, request)
      case 'csinodes.storage.k8s.io':
        return checkOwnName(node, request, 'can only access CSINode with the same name as the requesting node')
      case 'resourceslices.resource.k8s.io':
        return checkSlice(node, request)
      default:
        return
    }
  },
}

const quoted = (text: string | undefined): string => JSON.stringify(text ?? '')

function refusal({ target, object }: AdmissionRequest, why: string): ApiError {
  return forbidden(target.kind.resource, target.name || object?.metadata?.name || '', why)
}

function checkPod(node: string, request: AdmissionRequest, context: ServerContext): void {
  switch (request.target.subresource) {
    case undefined:
      return request.operation === 'CREATE'
        ? checkMirrorPod(node, request, context)
        : checkPodDeletion(node, request, context)
    case 'status':
      return checkPodStatus(node, request)
    case 'eviction':
      if (existingPod(request, request.target.name, context).spec.nodeName !== node)
        throw refusal(request, `node ${node} can only evict pods with spec.nodeName set to itself`)
      return
    default:
      throw refusal(
        request,
        `unexpected pod subresource ${quoted(request.target.subresource)}, only 'status' and 'eviction' are allowed`,
      )
  }
}

function existingPod({ target }: AdmissionRequest, name: string, { storage }: ServerContext): Pod {
  const pod = storage.get(pods, `${target.namespace}/${name}`)?.object as Pod | undefined
  if (pod === undefined) throw notFound(pods, name)
  return pod
}

function checkPodDeletion(node: string, request: AdmissionRequest, context: ServerContext): void {
  if (request.operation !== 'DELETE')
    throw refusal(
      request,
      `unexpected operation ${quoted(request.operation)}, node ${quoted(node)} can only create and delete mirror pods`,
    )
  if (existingPod(request, request.target.name, context).spec.nodeName !== node)
    throw refusal(request, `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`)
}

function checkMirrorPod(node: string, request: AdmissionRequest, { storage }: ServerContext): void {
  const pod = request.object as Pod
  const { metadata, spec } = pod
  if (metadata.annotations?.[mirrorAnnotation] === undefined)
    throw refusal(
      request,
      `pod does not have ${quoted(mirrorAnnotation)} annotation, node ${quoted(node)} can only create mirror pods`,
    )
  if (spec.nodeName !== node)
    throw refusal(request, `node ${quoted(node)} can only create pods with spec.nodeName set to itself`)
  const owners = metadata.ownerReferences ?? []
  if (owners.length > 1)
    throw refusal(request, `node ${quoted(node)} can only create pods with a single owner reference set to itself`)
  checkOwner(node, owners[0], request, storage.get(nodes, node)?.object as Node | undefined)
  const { secrets, configMaps, claims, resourceClaims } = podReferences(pod)
  const referring = (what: string): ApiError =>
    refusal(request, `node ${quoted(node)} can not create pods that reference ${what}`)
  if (spec.serviceAccountName) throw referring('a service account')
  if (secrets.size > 0) throw referring('secrets')
  if (configMaps.size > 0) throw referring('configmaps')
  if (
    (spec.volumes ?? []).some(volume =>
      volume.projected?.sources?.some(source => source.clusterTrustBundle !== undefined),
    )
  )
    throw referring('clustertrustbundles')
  if (claims.size > 0) throw referring('persistentvolumeclaims')
  if (resourceClaims.size > 0 || (spec.resourceClaims ?? []).length > 0) throw referring('resourceclaims')
}

function checkOwner(
  node: string,
  owner: OwnerReference | undefined,
  request: AdmissionRequest,
  stored: Node | undefined,
): void {
  if (owner === undefined || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    throw refusal(request, `node ${quoted(node)} can only create pods with an owner reference set to itself`)
  if (owner.controller !== true)
    throw refusal(request, `node ${quoted(node)} can only create pods with a controller owner reference set to itself`)
  if (owner.blockOwnerDeletion === true)
    throw refusal(request, `node ${quoted(node)} must not set blockOwnerDeletion on an owner reference`)
  if (stored === undefined) throw notFound(nodes, node)
  if (owner.uid !== stored.metadata.uid)
    throw refusal(request, `node ${node} UID mismatch: expected ${owner.uid} got ${stored.metadata.uid}`)
}

function checkPodStatus(node: string, request: AdmissionRequest): void {
  if (request.operation !== 'UPDATE') throw refusal(request, `unexpected operation ${quoted(request.operation)}`)
  const [pod, old] = [request.object as Pod, request.old as Pod]
  if (old.spec.nodeName !== node)
    throw refusal(request, `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`)
  if (!sameJson(pod.metadata.labels ?? {}, old.metadata.labels ?? {}))
    throw refusal(request, `node ${quoted(node)} cannot update labels through pod status`)
  if (!sameJson(pod.status?.resourceClaimStatuses ?? [], old.status?.resourceClaimStatuses ?? []))
    throw refusal(request, `node ${quoted(node)} cannot update resource claim statues`)
}

function checkNode(node: string, request: AdmissionRequest): void {
  const { operation, target } = request
  const name = target.name || request.object?.metadata.name
  if (name !== node) throw refusal(request, `node ${quoted(node)} is not allowed to modify node ${quoted(name)}`)
  if (operation === 'DELETE') return
  const [now, old] = [request.object as Node, request.old as Node | undefined]
  const changed = refusedLabels(now.metadata.labels ?? {}, old?.metadata.labels ?? {})
  if (old === undefined) {
    if (changed.length > 0)
      throw refusal(request, `node ${quoted(node)} is not allowed to set the following labels: ${changed.join(', ')}`)
    return
  }
  if (!sameJson(now.spec?.taints ?? [], old.spec?.taints ?? []))
    throw refusal(request, `node ${quoted(node)} is not allowed to modify taints`)
  if (changed.length > 0) throw refusal(request, `is not allowed to modify labels: ${changed.join(', ')}`)
  if (!sameJson(now.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? []))
    throw refusal(request, `node ${quoted(node)} is not allowed to modify ownerReferences`)
}

/** What a node may say of itself among the labels of Kubernetes. Source: staging/src/k8s.io/kubelet/pkg/apis. */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const ownLabelDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const within = (domain: string, parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`)

function refusedLabels(now: Readonly<Record<string, string>>, old: Readonly<Record<string, string>>): string[] {
  const changed = [...new Set([...Object.keys(now), ...Object.keys(old)])].filter(key => now[key] !== old[key])
  return changed
    .filter(key => {
      const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : ''
      if (within(domain, 'node-restriction.kubernetes.io')) return true
      const ofKubernetes = within(domain, 'kubernetes.io') || within(domain, 'k8s.io')
      return ofKubernetes && !ownLabels.has(key) && !ownLabelDomains.some(parent => within(domain, parent))
    })
    .sort()
}

function checkClaim(node: string, request: AdmissionRequest): void {
  if (request.target.subresource !== 'status') throw refusal(request, 'may only update PVC status')
  if (request.operation !== 'UPDATE') throw refusal(request, `unexpected operation ${quoted(request.operation)}`)
  if (!sameJson(withoutReported(request.object!), withoutReported(request.old!)))
    throw refusal(
      request,
      `node ${quoted(node)} is not allowed to update fields other than status.capacity and status.conditions`,
    )
}

/** The claim without what a node reports of it. */
function withoutReported(object: KubeObject): object {
  const { metadata, status, ...rest } = object as PersistentVolumeClaim
  const { resourceVersion: _revision, managedFields: _fields, ...kept } = metadata
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResources: _allocated,
    allocatedResourceStatuses: _statuses,
    ...others
  } = status
  return { ...rest, metadata: kept, status: others }
}

function checkToken(node: string, request: AdmissionRequest, context: ServerContext): void {
  if (request.operation !== 'CREATE' || request.target.subresource !== 'token') return
  const { audiences = [], boundObjectRef: reference } = (request.object as unknown as TokenRequest).spec ?? {
    audiences: [],
  }
  if (reference === undefined || reference.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name)
    throw refusal(request, 'node requested token not bound to a pod')
  if (!reference.uid) throw refusal(request, 'node requested token with a pod binding without a uid')
  const pod = existingPod(request, reference.name, context)
  if (reference.uid !== pod.metadata.uid)
    throw refusal(
      request,
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  if (pod.spec.nodeName !== node)
    throw refusal(request, 'node requested token bound to a pod scheduled on a different node')
  if (audiences.length > 1) throw refusal(request, 'node may only request 0 or 1 audiences')
  checkAudience(audiences[0] ?? '', pod, request, context)
}

function checkAudience(
  audience: string,
  pod: Pod,
  request: AdmissionRequest,
  { authorizer, storage, tokens }: ServerContext,
): void {
  if (audience === '' || tokens.audiences.includes(audience)) return
  const { user } = request.caller
  const { name, namespace } = request.target
  if ((pod.spec.volumes ?? []).some(volume => volumeAudiences(volume, pod, storage).includes(audience))) return
  if (
    authorizer.authorize(user, {
      verb: 'request-serviceaccounts-token-audience',
      group: '',
      resource: audience,
      namespace,
      name,
    }).allowed
  )
    return
  throw refusal(
    request,
    `audience ${quoted(audience)} not found in pod spec volume, ${user.username} is not authorized to request tokens for this audience`,
  )
}

/** What tokens the volume needs: its own projected ones, or those that its CSI driver asks for. */
function volumeAudiences(
  volume: NonNullable<Pod['spec']['volumes']>[number],
  pod: Pod,
  storage: ServerContext['storage'],
): (string | undefined)[] {
  const projected = (volume.projected?.sources ?? []).map(source => source.serviceAccountToken?.audience)
  const claimName = claimNameOf(pod, volume)
  const claim =
    claimName === undefined
      ? undefined
      : (storage.get(persistentVolumeClaims, `${pod.metadata.namespace}/${claimName}`)?.object as
          | PersistentVolumeClaim
          | undefined)
  const bound = claim?.spec.volumeName
    ? (storage.get(persistentVolumes, claim.spec.volumeName)?.object as PersistentVolume | undefined)
    : undefined
  const driverName = volume.csi?.driver ?? bound?.spec?.csi?.driver
  const driver =
    driverName === undefined ? undefined : (storage.get(csiDrivers, driverName)?.object as CSIDriver | undefined)
  return [...projected, ...(driver?.spec.tokenRequests ?? []).map(request => request.audience)]
}

function checkLease(node: string, request: AdmissionRequest): void {
  if (request.target.namespace !== nodeLeaseNamespace)
    throw refusal(request, `can only access leases in the ${quoted(nodeLeaseNamespace)} system namespace`)
  checkOwnName(node, request, 'can only access node lease with the same name as the requesting node')
}

function checkOwnName(node: string, request: AdmissionRequest, why: string): void {
  if ((request.target.name || request.object?.metadata.name) !== node) throw refusal(request, why)
}

function checkSlice(node: string, request: AdmissionRequest): void {
  if (request.operation === 'UPDATE') return
  const slice = (request.operation === 'CREATE' ? request.object : request.old) as ResourceSlice | undefined
  if (slice?.spec.nodeName === node) return
  throw refusal(
    request,
    request.operation === 'CREATE'
      ? 'can only create ResourceSlice with the same NodeName as the requesting node'
      : 'can only delete ResourceSlice with the same NodeName as the requesting node',
  )
}
