// Carries a preemption out: pods of lower priority that were promised the node lose it, and the victims are
// told why they have to leave, then deleted with the time they were given to end.
import type { Pod } from '../api/generated/models.ts'
import { pods } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../control/event-recorder.ts'
import { disruptionTarget, patchPodStatus } from '../control/disruption-target.ts'
import { isTerminating } from '../control/pods.ts'
import { removeObject } from '../control/removal.ts'
import type { Clock } from '../lib/clock.ts'
import type { Preemption } from './preempt.ts'

export interface RoomContext {
  readonly client: Client
  readonly clock: Clock
  readonly recorder: EventRecorder
}

export async function makeRoom(
  context: RoomContext,
  preemptor: Pod,
  { node, victims }: Preemption,
  pushedAside: readonly Pod[],
): Promise<void> {
  await Promise.all(pushedAside.map(pod => patchPodStatus(context.client, pod, { nominatedNodeName: null })))
  await Promise.all(
    victims.filter(victim => !isTerminating(victim)).map(victim => sendAway(context, victim, preemptor, node)),
  )
}

async function sendAway(
  { client, clock, recorder }: RoomContext,
  victim: Pod,
  preemptor: Pod,
  node: string,
): Promise<void> {
  const condition = disruptionTarget(
    victim,
    {
      reason: 'PreemptionByScheduler',
      message: `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`,
    },
    clock.now(),
  )
  const isThere =
    (await patchPodStatus(client, victim, { conditions: [condition] })) && (await removeObject(client, pods, victim))
  if (isThere)
    recorder.recordEvent(victim, 'Normal', 'Preempted', `Preempted by pod ${preemptor.metadata.uid} on node ${node}`, {
      action: 'Preempting',
      related: preemptor,
    })
}
