// The quality-of-service class of a pod: fixed at creation, from its requests and limits.
import type { PodSpec, ResourceRequirements } from '../generated/models.ts'
import { addQuantities, compareQuantities } from '../quantity.ts'

const counted = ['cpu', 'memory'] as const

export function qualityOfService(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const parts = spec.resources
    ? [spec.resources]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(container => container.resources ?? {})
  const requests = total(parts, 'requests')
  const limits = total(parts, 'limits')
  if (requests.size === 0 && limits.size === 0) return 'BestEffort'
  const limited = parts.every(part => counted.every(name => compareQuantities(part.limits?.[name], '0') > 0))
  const equal =
    requests.size === limits.size &&
    [...requests].every(([name, value]) => compareQuantities(value, limits.get(name)) === 0)
  return limited && equal ? 'Guaranteed' : 'Burstable'
}

function total(parts: readonly ResourceRequirements[], side: 'requests' | 'limits'): Map<string, string> {
  const sums = new Map<string, string>()
  for (const part of parts) {
    for (const name of counted) {
      const value = part[side]?.[name]
      if (value !== undefined && compareQuantities(value, '0') > 0)
        sums.set(name, addQuantities(sums.get(name) ?? '0', value))
    }
  }
  return sums
}
