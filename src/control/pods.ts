// What control loops ask of pods: does it count, is it ready, since when, and how is one made.
import type { OwnerReference, Pod, PodCondition, PodTemplateSpec } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { pods } from '../api/resources.ts'
import type { Client } from '../client/client.ts'

export const isFinished = (pod: Pod): boolean => pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
export const isTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined
/** Counts towards the wanted number. */
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !isTerminating(pod)

export const conditionOf = (pod: Pod, type: string): PodCondition | undefined =>
  pod.status.conditions?.find(condition => condition.type === type)
export const isReady = (pod: Pod): boolean => conditionOf(pod, 'Ready')?.status === 'True'

/** The pods bound to a node, by its name. */
export const podsByNode = (client: Client): ((nodeName: string) => readonly Pod[]) =>
  client.informer(pods).index('node', ({ spec }) => (spec.nodeName ? [spec.nodeName] : []))

/** When a ready pod counts as available; undefined while it is not ready. */
export function availableAtMs(pod: Pod, minReadySeconds = 0): number | undefined {
  const ready = conditionOf(pod, 'Ready')
  if (ready?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  return ready.lastTransitionTime === undefined
    ? undefined
    : Date.parse(ready.lastTransitionTime) + minReadySeconds * 1000
}

export function podFromTemplate(
  template: PodTemplateSpec,
  reference: OwnerReference,
  namespace: string | undefined,
): New<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    metadata: {
      generateName: `${reference.name}-`,
      namespace,
      ownerReferences: [reference],
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(finalizers && { finalizers }),
    },
    spec: template.spec ?? { containers: [] },
  }
}

const ageOf = (pod: Pod): number => Date.parse(pod.metadata.creationTimestamp) || 0
const readySince = (pod: Pod): number => Date.parse(conditionOf(pod, 'Ready')?.lastTransitionTime ?? '') || 0
const phaseRank = (pod: Pod): number => ({ Pending: 0, Unknown: 1, Running: 2 })[pod.status.phase ?? ''] ?? 2
const costOf = (pod: Pod): number =>
  Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0
const restartsOf = (pod: Pod): number =>
  Math.max(0, ...(pod.status.containerStatuses ?? []).map(status => status.restartCount))

/** The pods best deleted first come first; the order of Kubernetes' ActivePodsWithRanks. */
export function byDeletionOrder(candidates: readonly Pod[]): Pod[] {
  const perNode = new Map<string, number>()
  for (const { spec } of candidates) perNode.set(spec.nodeName ?? '', (perNode.get(spec.nodeName ?? '') ?? 0) + 1)
  const crowd = (pod: Pod): number => perNode.get(pod.spec.nodeName ?? '') ?? 0
  return candidates.toSorted(
    (a, b) =>
      Number(Boolean(a.spec.nodeName)) - Number(Boolean(b.spec.nodeName)) ||
      phaseRank(a) - phaseRank(b) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      costOf(a) - costOf(b) ||
      crowd(b) - crowd(a) ||
      (isReady(a) && isReady(b) ? readySince(b) - readySince(a) : 0) ||
      restartsOf(b) - restartsOf(a) ||
      ageOf(b) - ageOf(a) ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  )
}
