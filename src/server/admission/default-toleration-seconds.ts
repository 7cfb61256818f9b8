// DefaultTolerationSeconds: a new pod bears a failing node for five minutes.
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
      ;(spec.tolerations ??= []).push({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: defaultSeconds,
      })
    }
  },
}
