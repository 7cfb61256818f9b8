// After containers ended while nobody looked (the machine was started anew, the cluster was down), the API
// still tells of this node's pods as they were: ready, at addresses that nobody has any more. Connections to
// them would hang, so such endpoints are left out until other containers run in their pod.
import type { Endpoint, EndpointSlice, Pod } from '../api/generated/models.ts'
import type { ObjectName } from '../api/object.ts'

export class EndedPods {
  private readonly podOf: (name: ObjectName) => Pod | undefined
  /** By uid: the containers that ended. */
  private readonly containers = new Map<string, string>()

  /** None of the containers of `pods` runs any more; `podOf` gives a pod as it is now. */
  constructor(pods: readonly Pod[], podOf: (name: ObjectName) => Pod | undefined) {
    this.podOf = podOf
    for (const pod of pods) this.containers.set(pod.metadata.uid, containersOf(pod))
  }

  /** Nothing has run in the pod since. */
  has(pod: Pod): boolean {
    const { uid } = pod.metadata
    const ended = this.containers.get(uid)
    const current = containersOf(pod)
    if (ended === undefined || current === '' || current === ended) return ended !== undefined
    this.containers.delete(uid)
    return false
  }

  /** The slices without the endpoints of these pods. */
  leftOutOf(slices: readonly EndpointSlice[]): readonly EndpointSlice[] {
    if (this.containers.size === 0) return slices
    return slices.map(slice => ({
      ...slice,
      endpoints: (slice.endpoints ?? []).filter(endpoint => !this.isBehind(endpoint)),
    }))
  }

  private isBehind({ targetRef }: Endpoint): boolean {
    if (targetRef?.namespace === undefined || targetRef.name === undefined || !this.containers.has(targetRef.uid ?? ''))
      return false
    const pod = this.podOf({ namespace: targetRef.namespace, name: targetRef.name })
    return pod !== undefined && this.has(pod)
  }
}

const containersOf = ({ status }: Pod): string =>
  (status?.containerStatuses ?? []).flatMap(({ containerID = [] }) => containerID).join(' ')
