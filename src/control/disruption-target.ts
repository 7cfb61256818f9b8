// The condition by which a pod learns who ends it and why, and by which others tell that from a failure.
import type { Pod, PodCondition } from '../api/generated/models.ts'
import { pods } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { formatTime } from '../lib/clock.ts'
import { conditionOf } from './pods.ts'
import { unlessNotFound } from './removal.ts'

export type DisruptionReason = 'PreemptionByScheduler' | 'DeletionByTaintManager' | 'DeletionByPodGC'

export interface Disruption {
  readonly reason: DisruptionReason
  readonly message: string
}

export function disruptionTarget(pod: Pod, { reason, message }: Disruption, nowMs: number): PodCondition {
  const before = conditionOf(pod, 'DisruptionTarget')
  const { generation } = pod.metadata
  return {
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    message,
    ...(generation !== undefined && { observedGeneration: generation }),
    lastTransitionTime:
      before?.status === 'True' && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : formatTime(nowMs),
  }
}

/** @returns false when the pod had gone */
export const patchPodStatus = (client: Client, pod: Pod, status: object): Promise<boolean> =>
  unlessNotFound(client.patch(pods, pod.metadata, { type: 'strategic', value: { status } }, { subresource: 'status' }))
