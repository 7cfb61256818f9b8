// PodResizeValidator and NodeDeclaredFeatureValidator: a pod that has its node can only grow into what the node
// has, and change in ways that the node says it can follow.
// Source: plugin/pkg/admission/podresize, plugin/pkg/admission/nodedeclaredfeatures.
import { forbidden } from '../../api/api-error.ts'
import type { Node, Pod } from '../../api/generated/models.ts'
import { amountsOf, podRequests } from '../../api/pod-requests.ts'
import { nodes, pods } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { groupResource } from '../../api/resource.ts'
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts'

const systemLabel = 'kubernetes.io/os'

export const podResizeValidator: AdmissionPlugin = {
  name: 'PodResizeValidator',
  validate(request, context) {
    const pod = changedOnItsNode(request, ['resize'])
    if (pod === undefined) return
    const node = nodeOf(pod, request, context)
    const wanted = podRequests(pod.spec)
    const there = amountsOf(node.status.allocatable)
    const missing = ['cpu', 'memory']
      .map(name => [name, wanted.get(name) ?? 0, there.get(name) ?? 0] as const)
      .filter(([, requested, allocatable]) => requested > allocatable)
    if (missing.length > 0)
      throw refusal(
        request,
        `Node didn't have enough allocatable resources: ${missing.map(([name, requested, allocatable]) => `${name}, requested: ${requested}, allocatable: ${allocatable}`).join('; ')}`,
      )
    const system = node.metadata.labels?.[systemLabel] ?? ''
    if (system !== 'linux')
      throw refusal(
        request,
        `pod resize is only supported on linux nodes, node ${JSON.stringify(node.metadata.name)} is ${JSON.stringify(system)}`,
      )
  },
}

export const nodeDeclaredFeatureValidator: AdmissionPlugin = {
  name: 'NodeDeclaredFeatureValidator',
  validate(request, context) {
    const pod = changedOnItsNode(request, [undefined, 'resize'])
    if (pod === undefined) return
    const needed = neededFeatures(pod, request.old as Pod)
    if (needed.length === 0) return
    const { metadata, status } = nodeOf(pod, request, context)
    const unavailable = needed.filter(feature => !(status.declaredFeatures ?? []).includes(feature))
    if (unavailable.length > 0)
      throw refusal(
        request,
        `pod update requires features ${unavailable.join(', ')} which are not available on node ${JSON.stringify(metadata.name)}`,
      )
  },
}

/** What the node must be able to do for this change, by the names under which nodes declare it. */
const neededFeatures = ({ spec }: Pod, old: Pod): string[] =>
  sameJson(spec.resources ?? null, old.spec.resources ?? null) ? [] : ['InPlacePodLevelResourcesVerticalScaling']

function changedOnItsNode(
  { operation, target, object, old }: AdmissionRequest,
  parts: readonly (string | undefined)[],
): Pod | undefined {
  if (
    operation !== 'UPDATE' ||
    groupResource(target.kind.resource) !== pods.plural ||
    !parts.includes(target.subresource)
  )
    return undefined
  const pod = object as Pod
  return pod.spec.nodeName && !sameJson(pod.spec, (old as Pod).spec) ? pod : undefined
}

function nodeOf({ spec: { nodeName = '' } }: Pod, request: AdmissionRequest, { storage }: ServerContext): Node {
  const node = storage.get(nodes, nodeName)?.object as Node | undefined
  if (node === undefined) throw refusal(request, `node ${JSON.stringify(nodeName)} not found`)
  return node
}

const refusal = ({ target }: AdmissionRequest, why: string): Error => forbidden(pods, target.name, why)
