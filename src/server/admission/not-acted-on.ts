// Kinds that are served and checked but that no control loop acts on yet: whoever creates one is told so,
// instead of waiting for what does not come. A kind leaves this list with its control loop.
import type { AdmissionPlugin } from '../server-context.ts'

const waiting: Readonly<Record<string, readonly string[]>> = {
  autoscaling: ['horizontalpodautoscalers'],
  'networking.k8s.io': ['networkpolicies'],
}

export const notActedOn: AdmissionPlugin = {
  name: 'NotActedOn',
  validate({ operation, target, caller }) {
    const { group, plural, kind } = target.kind.resource
    if (operation !== 'CREATE' || target.subresource !== undefined || waiting[group]?.includes(plural) !== true) return
    caller.warnings.push(`Sampan stores this ${kind}, but nothing acts on objects of this kind yet`)
  },
}
