// What does not work of Gateways and routes, as events tell it. Pure.
import type { KubeObject } from '../../api/object.ts'
import type { Finding } from './findings.ts'
import type { OwnConsumer } from './policies/consumers.ts'
import type { OwnRoute } from './own-route.ts'
import { ownerOf, type Problem } from './host-rule.ts'
import type { OwnGateway } from './listeners.ts'

export const gatewayProblems = ({ gateway, findings, listeners }: OwnGateway): readonly Problem[] => [
  ...findings.map(({ reason, message }) => ({ owner: ownerOf(gateway), reason, message })),
  ...listeners.flatMap(listener =>
    listener.findings.map(({ reason, message }) => ({
      owner: ownerOf(listener.owner),
      reason,
      message: `listener ${listener.spec.name}: ${message}`,
    })),
  ),
]

interface FoundPolicy {
  readonly policy: KubeObject
  readonly findings: readonly Finding[]
}

interface TargetedPolicy extends FoundPolicy {
  readonly ofTargets?: ReadonlyMap<unknown, Finding>
}

export const policyProblems = ({ policy, findings }: FoundPolicy): readonly Problem[] =>
  findings.map(({ reason, message }) => ({ owner: ownerOf(policy), reason, message }))

/** Also what is said of its targets one by one. */
export const targetedProblems = ({ policy, findings, ofTargets }: TargetedPolicy): readonly Problem[] =>
  policyProblems({ policy, findings: [...findings, ...(ofTargets?.values() ?? [])] })

export const consumerProblems = ({ consumer, findings }: OwnConsumer): readonly Problem[] =>
  policyProblems({ policy: consumer, findings })

export const routeProblems = ({ route, attachments, unresolved, dropped }: OwnRoute): readonly Problem[] =>
  [
    ...attachments.flatMap(({ accepted }) => (accepted.status === 'False' ? accepted : [])),
    ...unresolved,
    ...dropped,
  ].map(({ reason, message }) => ({ owner: ownerOf(route), reason, message }))
