// How many instances get a share of the requests. Where every instance gets as many as the next one, by the number beside
// them; where routes weigh the requests, as many as the share of that number takes. Pure.
import type { Observation } from '../engine/engine.ts'
import type { Share, Workload } from '../engine/parts.ts'

export const instancesFor = ({ percent, weighed }: Pick<Share, 'percent' | 'weighed'>, beside: number): number =>
  Math.max(1, Math.ceil((beside * percent) / (weighed ? 100 : 100 - percent)))

/**
 * By the number at the time, which an autoscaler may have changed since it was planned.
 * @returns undefined when those beside are not there to be counted
 */
export function instancesNow(share: Share, { workloads }: Observation): number | undefined {
  const other = workloads.find(({ name }) => name === share.beside)
  return other === undefined ? undefined : instancesFor(share, other.wanted)
}

export const shareText = (
  { instances }: Pick<Workload, 'instances'>,
  { percent, besideInstances, weighed }: Share,
): string => `${weighed ? percent : Math.round((100 * instances) / (instances + besideInstances))} %`
