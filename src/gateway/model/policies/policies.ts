// What policies ask for, by what they are for. A policy that cannot be enforced lets nobody in. Pure.
import type { AccessPolicy, BalancingPolicy, PolicyTarget, TrafficPolicy } from '../../../api/gateway-api/policies.ts'
import { compareAges } from '../age-order.ts'
import { fails, type Finding } from '../findings.ts'
import { ownerOf } from '../host-rule.ts'
import type { Credentials, Login, Policing } from '../policing.ts'
import { accessOf } from './access.ts'
import { balancingOf, type BalancingLookup } from './balancing.ts'
import { knownConsumers, type OwnConsumer } from './consumers.ts'
import type { PolicyInputs } from './policy-inputs.ts'
import type { PolicyLookup, PolicyPlace } from './policy-place.ts'
import { missingOf } from './targets.ts'
import { trafficOf } from './traffic.ts'

export interface OwnPolicy {
  readonly policy: AccessPolicy | TrafficPolicy | BalancingPolicy
  readonly findings: readonly Finding[]
  /** What is not there of its targets, in words. */
  readonly missing: ReadonlyMap<PolicyTarget, string>
  /** Of some of its targets, what is to be said of them before anything else. */
  readonly ofTargets?: ReadonlyMap<PolicyTarget, Finding>
}

export interface Policies extends PolicyLookup, BalancingLookup {
  readonly own: readonly OwnPolicy[]
  readonly consumers: readonly OwnConsumer[]
  /** By the names by which checks refer to them. */
  readonly credentials: ReadonlyMap<string, Credentials>
  /** By id. */
  readonly logins: ReadonlyMap<string, Login>
}

export function policiesOf(inputs: PolicyInputs): Policies {
  const byPlace = new Map<string, Policing[]>()
  const credentials = new Map<string, Credentials>()
  const logins = new Map<string, Login>()
  const consumers = knownConsumers(inputs)
  const own: OwnPolicy[] = []
  const add = (
    policy: AccessPolicy | TrafficPolicy,
    { policing, findings }: { readonly policing: Policing; readonly findings: readonly Finding[] },
  ): void => {
    const { namespace = '' } = policy.metadata
    const refused = inputs.refused.get(ownerOf(policy))
    const enforced = refused === undefined ? policing : { source: policing.source, isClosed: true }
    for (const { kind, name, sectionName } of policy.spec.targetRefs) {
      const key = keyOf({ kind, namespace, name, ...(sectionName !== undefined && { section: sectionName }) })
      byPlace.set(key, [...(byPlace.get(key) ?? []), enforced])
    }
    own.push({
      policy,
      findings:
        refused === undefined
          ? findings
          : [fails('Accepted', 'Invalid', refused), ...findings.filter(({ status }) => status === 'False')],
      missing: missingOf(policy, inputs.missingTarget),
    })
  }
  for (const policy of inputs.accessPolicies.toSorted(compareAges)) {
    const made = accessOf(policy, consumers, inputs)
    for (const [id, table] of made.credentials) credentials.set(id, table)
    if (made.login !== undefined) logins.set(made.login.id, made.login)
    add(policy, made)
  }
  for (const policy of inputs.trafficPolicies.toSorted(compareAges))
    add(policy, { policing: trafficOf(policy), findings: [] })
  const balancing = balancingOf(inputs)
  return {
    own: [...own, ...balancing.own],
    balancingOf: balancing.balancingOf,
    consumers,
    credentials,
    logins,
    // One that is for several of them is heeded once.
    of: places => [...new Set(places.flatMap(place => byPlace.get(keyOf(place)) ?? []))],
  }
}

const keyOf = ({ kind, namespace, name, section = '' }: PolicyPlace): string =>
  `${kind} ${namespace}/${name}/${section}`
