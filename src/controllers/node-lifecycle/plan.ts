// What a node's conditions and its heartbeat say: which conditions become unknown, and which taints it
// carries.
import type { Node, NodeCondition, Taint } from '../../api/generated/models.ts'
import { formatTime } from '../../lib/clock.ts'

/** A node that did not renew its lease for so long is unreachable. */
export const graceMs = 50_000

const notReady = 'node.kubernetes.io/not-ready'
const unreachable = 'node.kubernetes.io/unreachable'
const conditionTaints = [
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
  ['Ready', 'False', notReady],
  ['Ready', 'Unknown', unreachable],
] as const
const managed = new Set<string>([...conditionTaints.map(([, , key]) => key), 'node.kubernetes.io/unschedulable'])

/** The conditions of a node that fell silent; undefined when there is nothing to change. */
export function planConditions(node: Node, heartbeatMs: number, nowMs: number): NodeCondition[] | undefined {
  if (nowMs - heartbeatMs <= graceMs) return undefined
  const types = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']
  const known = node.status.conditions ?? []
  if (types.every(type => known.some(condition => condition.type === type && condition.status === 'Unknown')))
    return undefined
  const lastTransitionTime = formatTime(nowMs)
  const silent = types.map(type => {
    const before = known.find(condition => condition.type === type)
    if (before?.status === 'Unknown') return before
    return before === undefined
      ? {
          type,
          status: 'Unknown',
          reason: 'NodeStatusNeverUpdated',
          message: 'Kubelet never posted node status.',
          lastTransitionTime,
        }
      : {
          ...before,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime,
        }
  })
  return [...known.filter(condition => !types.includes(condition.type)), ...silent]
}

/** The taints the node shall carry; those others set stay, and so do the times of ours. */
export function planTaints(node: Node, nowMs: number): Taint[] {
  const has = (type: string, status: string): boolean =>
    node.status.conditions?.some(condition => condition.type === type && condition.status === status) ?? false
  const found = conditionTaints.filter(([type, status]) => has(type, status))
  const wanted: Taint[] = [
    ...found.map(([, , key]) => ({ key, effect: 'NoSchedule' })),
    ...found.filter(([type]) => type === 'Ready').map(([, , key]) => ({ key, effect: 'NoExecute' })),
  ]
  const hasNoReady = !(node.status.conditions ?? []).some(condition => condition.type === 'Ready')
  if (hasNoReady) wanted.push({ key: notReady, effect: 'NoSchedule' })
  if (node.spec.unschedulable === true) wanted.push({ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' })
  const before = node.spec.taints ?? []
  const isManaged = (taint: Taint): boolean => managed.has(taint.key)
  const ours = wanted.map(
    taint =>
      before.find(old => old.key === taint.key && old.effect === taint.effect) ??
      Object.assign(taint, { timeAdded: formatTime(nowMs) }),
  )
  return [...before.filter(taint => !isManaged(taint)), ...ours]
}
