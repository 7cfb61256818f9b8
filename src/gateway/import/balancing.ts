// BalancingPolicies: how the instances of services shared their requests. One is for whole Services, and of two that ask for
// something else of one Service the first one counts. Pure.
import type { BalancingPolicy } from '../../api/gateway-api/policies.ts'
import { policyGroup, policyVersion } from '../../api/gateway-names.ts'
import type { ImportContext } from './context.ts'
import type { SourceBackend } from './source-route.ts'

export type Balance = Pick<BalancingPolicy['spec'], 'algorithm' | 'hash' | 'affinity' | 'ejection'>

export interface BalancedServices {
  /** Where it stands, for the report. */
  readonly at: string
  /** Of the policy. */
  readonly name: string
  readonly balance: Balance
  /** Of the namespace of the import. */
  readonly services: readonly Pick<SourceBackend, 'name'>[]
}

const mostTargets = 16

/** Clients have an instance of theirs, so that instances have to be of one Service. */
export const keepsClients = ({ hash, affinity }: Balance): boolean => hash !== undefined || affinity !== undefined

export function balancingPolicies(
  all: readonly BalancedServices[],
  { namespace, names, report }: ImportContext,
): readonly object[] {
  const takenBy = new Map<string, string>()
  return all.flatMap(({ at, name, balance, services }) => {
    const own = [...new Set(services.map(service => service.name))].filter(service => {
      const before = takenBy.get(service)
      if (before !== undefined)
        report.leftOut(at, `how the Service ${service} is balanced is said by ${before} already; choose between them`)
      else takenBy.set(service, at)
      return before === undefined
    })
    return Array.from({ length: Math.ceil(own.length / mostTargets) }, (_unused, index) => ({
      apiVersion: `${policyGroup}/${policyVersion}`,
      kind: 'BalancingPolicy',
      metadata: { name: names.take('BalancingPolicy', name), namespace },
      spec: {
        targetRefs: own
          .slice(index * mostTargets, (index + 1) * mostTargets)
          .map(service => ({ group: '', kind: 'Service', name: service })),
        ...balance,
      },
    }))
  })
}
