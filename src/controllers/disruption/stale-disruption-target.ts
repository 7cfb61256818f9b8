// Who announced the disruption of a pod (condition DisruptionTarget) and then did not go through with it is
// not believed for ever: after two minutes the condition is taken back.
import type { Pod } from '../../api/generated/models.ts'
import { keyOf, splitKey } from '../../api/object.ts'
import { pods } from '../../api/resources.ts'
import type { ControllerContext, Outcome, Reconciler } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { conditionOf, isFinished, isTerminating } from '../../control/pods.ts'
import { formatTime } from '../../lib/clock.ts'

const staleAfterMs = 120_000

const isAnnounced = (pod: Pod): boolean => {
  const condition = conditionOf(pod, 'DisruptionTarget')
  return (
    condition?.status === 'True' &&
    condition.reason !== 'TerminationByKubelet' &&
    !isFinished(pod) &&
    !isTerminating(pod)
  )
}

export const staleDisruptionTarget = defineController({
  name: 'stale-disruption-target',
  watches: [watch({ resource: pods, keysOf: pod => (isAnnounced(pod) ? [keyOf(pod)] : []) })],
  reconciler: takeBack,
})

function takeBack({ client, clock }: ControllerContext): Reconciler {
  return async function reconcile(key): Promise<Outcome> {
    const pod = client.informer(pods).get(splitKey(key))
    if (pod === undefined || !isAnnounced(pod)) return 'done'
    const nowMs = clock.now()
    const leftMs = Date.parse(conditionOf(pod, 'DisruptionTarget')!.lastTransitionTime ?? '') + staleAfterMs - nowMs
    if (leftMs > 0) return { requeueAfterMs: leftMs }
    const conditions = (pod.status.conditions ?? []).map(condition =>
      condition.type === 'DisruptionTarget'
        ? { type: condition.type, status: 'False', lastTransitionTime: formatTime(nowMs) }
        : condition,
    )
    await client.update(pods, { ...pod, status: { ...pod.status, conditions } }, { subresource: 'status' })
    return 'done'
  }
}
