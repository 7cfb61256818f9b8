// Carries a preemption out: pods of lower priority that were promised the node lose it, and the victims are
// told why they have to leave, then deleted with the time they were given to end.
import type { Pod } from '../api/generated/models.ts'
import { pods } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../control/event-recorder.ts'
import { conditionOf, isTerminating } from '../control/pods.ts'
import { removeObject, unlessNotFound } from '../control/removal.ts'
import type { Clock } from '../lib/clock.ts'
import { formatTime } from '../lib/clock.ts'
import { preempted, type Preemption } from './preempt.ts'

export interface RoomContext {
  readonly client: Client
  readonly clock: Clock
  readonly recorder: EventRecorder
}

export async function makeRoom(context: RoomContext, preemptor: Pod, { node, victims }: Preemption, pushedAside: readonly Pod[]): Promise<void> {
  await Promise.all(pushedAside.map(pod => patchStatus(context.client, pod, { nominatedNodeName: null })))
  await Promise.all(victims.filter(victim => !isTerminating(victim)).map(victim => sendAway(context, victim, preemptor, node)))
}

/** Returns whether the pod was still there. */
const patchStatus = (client: Client, pod: Pod, status: object): Promise<boolean> =>
  unlessNotFound(client.patch(pods, pod.metadata, { type: 'strategic', value: { status } }, { subresource: 'status' }))

async function sendAway({ client, clock, recorder }: RoomContext, victim: Pod, preemptor: Pod, node: string): Promise<void> {
  const before = conditionOf(victim, 'DisruptionTarget')
  const { generation } = victim.metadata
  const condition = {
    type: 'DisruptionTarget', status: 'True', reason: preempted, message: `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`,
    ...(generation !== undefined && { observedGeneration: generation }), lastProbeTime: null,
    lastTransitionTime: before?.status === 'True' ? before.lastTransitionTime : formatTime(clock.now()),
  }
  const isThere = await patchStatus(client, victim, { conditions: [condition] }) && await removeObject(client, pods, victim)
  if (isThere) recorder.recordEvent(victim, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid} on node ${node}`, { action: 'Preempting', related: preemptor })
}
