// Questions about a pod that many parts of the agent ask.
import type { Container, ContainerStatus, EphemeralContainer, Pod } from '../api/generated/models.ts'

export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

export const initContainersOf = (pod: Pod): readonly Container[] => pod.spec.initContainers ?? []

/** Init containers, then containers, then ephemeral ones (which have the same fields where it matters here). */
export function allContainersOf(pod: Pod): readonly Container[] {
  return [...initContainersOf(pod), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? []).map(asContainer)]
}

export const containerOf = (pod: Pod, name: string): Container | undefined =>
  allContainersOf(pod).find(container => container.name === name)

const asContainer = (ephemeral: EphemeralContainer): Container => ephemeral

export const isHostNetwork = (pod: Pod): boolean => pod.spec.hostNetwork === true

export const isDeleting = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined

export const hasEnded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** What the pod's status says of a container: what is known of it when the runtime has forgotten it. */
export const reportedStatus = (pod: Pod, name: string): ContainerStatus | undefined =>
  [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ].find(status => status.name === name)

/** How long containers may take to stop. */
export function gracePeriodSecondsOf(pod: Pod): number {
  return Number(pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30)
}

/** `web_default(uid)`: how the kubelet writes a pod in messages. */
export const podText = (pod: Pod): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`

/** Pods of a directory (static pods) and their mirrors carry this; their logs are named after it. */
export const logDirectoryName = (pod: Pod): string =>
  `${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** As the API server computes it at creation; older objects may lack it in their status. */
export function qosClassOf(pod: Pod): QosClass {
  const known = pod.status?.qosClass
  if (known === 'Guaranteed' || known === 'Burstable' || known === 'BestEffort') return known
  const containers = [...initContainersOf(pod), ...pod.spec.containers]
  const named = (list: Record<string, string> | undefined): boolean =>
    list?.['cpu'] !== undefined || list?.['memory'] !== undefined
  if (!containers.some(({ resources }) => named(resources?.limits) || named(resources?.requests))) return 'BestEffort'
  const guaranteed = containers.every(({ resources }) =>
    ['cpu', 'memory'].every(name => {
      const limit = resources?.limits?.[name]
      return limit !== undefined && (resources?.requests?.[name] ?? limit) === limit
    }),
  )
  return guaranteed ? 'Guaranteed' : 'Burstable'
}
