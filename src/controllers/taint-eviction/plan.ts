// When a pod has to leave its node because of the node's taints.
import type { Pod, Taint, Toleration } from '../../api/generated/models.ts'
import { tolerates } from '../../control/node-match.ts'

/** In milliseconds; undefined when the pod may stay. A pod that came to a tainted node tolerates the taint from then on. */
export function evictionMs({ metadata, spec }: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  const cameMs = Date.parse(metadata.creationTimestamp) || 0
  const times = taints
    .filter(taint => taint.effect === 'NoExecute')
    .map(taint => leavesAt(spec.tolerations ?? [], taint, cameMs, nowMs))
  const earliest = Math.min(...times)
  return earliest === Infinity ? undefined : earliest
}

function leavesAt(tolerations: readonly Toleration[], taint: Taint, cameMs: number, nowMs: number): number {
  const matching = tolerations.filter(toleration => tolerates(toleration, taint))
  const since = taint.timeAdded === undefined ? nowMs : Math.max(cameMs, Date.parse(taint.timeAdded))
  if (matching.length === 0) return since
  return (
    since +
    Math.min(
      ...matching.map(toleration =>
        toleration.tolerationSeconds === undefined
          ? Infinity
          : Math.max(0, Number(toleration.tolerationSeconds)) * 1000,
      ),
    )
  )
}
