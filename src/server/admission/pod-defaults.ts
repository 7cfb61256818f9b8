// Two small plug-ins that complete a new pod: the tolerations of a failing node for five minutes
// (DefaultTolerationSeconds), and its priority (Priority; classes follow with their kind).
import type { Pod, Toleration } from '../../api/generated/models.ts'
import { isPlainResource } from './admission.ts'
import type { AdmissionPlugin } from '../server-context.ts'

const defaultSeconds = 300
const failures = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

const tolerates = (toleration: Toleration, key: string): boolean =>
  (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect)

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate(request) {
    if (request.operation === 'DELETE' || !isPlainResource(request, '', 'pods')) return
    const { spec } = request.object as Pod
    for (const key of failures) {
      if (spec.tolerations?.some(toleration => tolerates(toleration, key))) continue
      ;(spec.tolerations ??= []).push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: defaultSeconds })
    }
  },
}

const systemPriorities: Record<string, number> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 }

export const priority: AdmissionPlugin = {
  name: 'Priority',
  mutate(request) {
    if (request.operation !== 'CREATE' || !isPlainResource(request, '', 'pods')) return
    const { spec } = request.object as Pod
    spec.priority = systemPriorities[spec.priorityClassName ?? ''] ?? 0
    spec.preemptionPolicy ??= 'PreemptLowerPriority'
  },
}
