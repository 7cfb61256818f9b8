// A new node takes no pods until it has reported itself ready (TaintNodesByCondition).
import type { Node } from '../../api/generated/models.ts'
import { isPlainResource } from './admission.ts'
import type { AdmissionPlugin } from '../server-context.ts'

const key = 'node.kubernetes.io/not-ready'

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate(request) {
    if (request.operation !== 'CREATE' || !isPlainResource(request, '', 'nodes')) return
    const node = request.object as Node
    node.spec.taints ??= []
    if (!node.spec.taints.some(taint => taint.key === key && taint.effect === 'NoSchedule'))
      node.spec.taints.push({ key, effect: 'NoSchedule' })
  },
}
