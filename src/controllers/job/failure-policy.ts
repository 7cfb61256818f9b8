// What a job's podFailurePolicy says about one failed pod.
import type { Job, Pod, PodFailurePolicyRule } from '../../api/generated/models.ts'

export type Verdict =
  | { readonly action: 'Count' }
  | { readonly action: 'Ignore' }
  | { readonly action: 'FailIndex' }
  | { readonly action: 'FailJob'; readonly message: string }

export function judge({ spec }: Job, pod: Pod): Verdict {
  for (const [index, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const because = reasonFor(rule, pod)
    if (because === undefined) continue
    if (rule.action === 'Ignore' || rule.action === 'FailIndex') return { action: rule.action }
    if (rule.action === 'FailJob')
      return { action: 'FailJob', message: `${because} matching FailJob rule at index ${index}` }
    return { action: 'Count' }
  }
  return { action: 'Count' }
}

function reasonFor({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`
  if (onExitCodes !== undefined) {
    const statuses = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]
    const found = statuses.find(status => {
      const code = status.state?.terminated?.exitCode
      if (code === undefined || code === 0 || (onExitCodes.containerName && onExitCodes.containerName !== status.name))
        return false
      return onExitCodes.values.includes(code) === (onExitCodes.operator === 'In')
    })
    return found && `Container ${found.name} for pod ${name} failed with exit code ${found.state!.terminated!.exitCode}`
  }
  const condition = onPodConditions?.find(({ type, status = 'True' }) =>
    pod.status.conditions?.some(one => one.type === type && one.status === status),
  )
  return condition && `Pod ${name} has condition ${condition.type}`
}
