// How many instances get a share of the requests, where every instance gets as many: by the number beside them at the
// time, which an autoscaler may have changed since it was planned. Pure.
import type { Observation } from '../engine/engine.ts'
import type { Share, Workload } from '../engine/parts.ts'

export const instancesFor = (percent: number, beside: number): number =>
  Math.max(1, Math.ceil((beside * percent) / (100 - percent)))

/** @returns undefined when those beside are not there to be counted */
export function instancesNow({ percent, beside }: Share, { workloads }: Observation): number | undefined {
  const other = workloads.find(({ name }) => name === beside)
  return other === undefined ? undefined : instancesFor(percent, other.wanted)
}

export const shareText = ({ instances }: Pick<Workload, 'instances'>, { besideInstances }: Share): string =>
  `${Math.round((100 * instances) / (instances + besideInstances))} %`
