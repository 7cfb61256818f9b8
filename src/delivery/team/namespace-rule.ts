// The namespace of a service whose manifest says nothing about it.
import type { TeamEnvironment } from './team.ts'

export function namespaceByRule(
  rule: TeamEnvironment['namespace'] | undefined,
  environment: string,
  service: string,
): string {
  if (typeof rule === 'object') return rule.name
  return rule === 'service' ? `${environment}-${service}` : environment
}
