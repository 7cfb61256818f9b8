// Which of a pod's containers is the service: the cluster may have added others of its own, before it or after it. Pure.
import type { ContainerStatus, Pod } from '../../../api/generated/models.ts'
import { label, objectName } from './labels.ts'

const nameOf = ({ metadata }: Pod): string => objectName(metadata.labels?.[label.service] ?? '')

export function mainContainer(pod: Pod): string {
  const { containers } = pod.spec
  return (containers.find(({ name }) => name === nameOf(pod)) ?? containers[0])?.name ?? ''
}

/** undefined: the node has not said anything yet. */
export const mainStatus = (pod: Pod): ContainerStatus | undefined =>
  pod.status.containerStatuses?.find(({ name }) => name === mainContainer(pod))

/** There is a log to read. */
export function hasBegun(pod: Pod): boolean {
  const state = mainStatus(pod)?.state
  return state?.running !== undefined || state?.terminated !== undefined
}
