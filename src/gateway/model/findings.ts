// What was found about an object of the Gateway API, as its status will say it. Pure.

/** A condition before anybody knows since when. */
export interface Finding {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

export const holds = (type: string, reason = type, message = ''): Finding => ({ type, status: 'True', reason, message })

/** Of a policy that is enforced, and lets in nobody by it. */
export const consumerNotFound = 'ConsumerNotFound'

export const fails = (type: string, reason: string, message: string): Finding => ({
  type,
  status: 'False',
  reason,
  message,
})

/** The first one of each type counts. */
export function findingsOf(findings: readonly Finding[]): readonly Finding[] {
  const byType = new Map<string, Finding>()
  for (const finding of findings) if (!byType.has(finding.type)) byType.set(finding.type, finding)
  return [...byType.values()]
}
