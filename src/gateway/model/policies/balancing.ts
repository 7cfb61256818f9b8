// How services are balanced, as policies say it: of two for one service the older one. A policy that HAProxy does not take
// leaves its services as they are without it, since it lets nobody in and keeps nobody out. Pure.
import { createHash } from 'node:crypto'
import type { BalancingPolicy, PolicyTarget } from '../../../api/gateway-api/policies.ts'
import { compareAges } from '../age-order.ts'
import { hashOf } from '../backends.ts'
import type { Affinity, Balancing, HashedBy } from '../balancing.ts'
import { durationMs } from '../durations.ts'
import { fails, type Finding } from '../findings.ts'
import { ownerOf } from '../host-rule.ts'
import type { ServicePort } from '../model.ts'
import type { PolicyInputs } from './policy-inputs.ts'
import { missingOf } from './targets.ts'

export interface OwnBalancing {
  readonly policy: BalancingPolicy
  readonly findings: readonly Finding[]
  readonly missing: ReadonlyMap<PolicyTarget, string>
  readonly ofTargets: ReadonlyMap<PolicyTarget, Finding>
}

type Service = Pick<ServicePort, 'namespace' | 'name'>

export interface BalancingLookup {
  readonly balancingOf: (service: Service) => Balancing | undefined
}

export function balancingOf({
  balancingPolicies,
  missingTarget,
  refused,
}: Pick<PolicyInputs, 'balancingPolicies' | 'missingTarget' | 'refused'>): BalancingLookup & {
  readonly own: readonly OwnBalancing[]
} {
  const byService = new Map<string, BalancingPolicy>()
  const own = balancingPolicies.toSorted(compareAges).map((policy): OwnBalancing => {
    const { namespace = '' } = policy.metadata
    const refusal = refused.get(ownerOf(policy))
    const ofTargets = new Map<PolicyTarget, Finding>()
    for (const target of policy.spec.targetRefs) {
      const key = `${namespace}/${target.name}`
      const older = byService.get(key)
      if (older !== undefined && older !== policy)
        ofTargets.set(
          target,
          fails(
            'Accepted',
            'Conflicted',
            `how the service "${target.name}" is balanced is said by the older ${ownerOf(older)}`,
          ),
        )
      else if (refusal === undefined) byService.set(key, policy)
    }
    return {
      policy,
      findings: refusal === undefined ? [] : [fails('Accepted', 'Invalid', refusal)],
      missing: missingOf(policy, missingTarget),
      ofTargets,
    }
  })
  return {
    own,
    balancingOf: service => {
      const policy = byService.get(`${service.namespace}/${service.name}`)
      return policy && asksFor(policy, service)
    },
  }
}

function asksFor(policy: BalancingPolicy, service: Service): Balancing {
  const { affinity, ejection, slowStart, concurrency } = policy.spec
  return {
    source: ownerOf(policy),
    choice: choiceOf(policy.spec),
    ...(affinity !== undefined && { affinity: affinityOf(affinity, policy, service) }),
    ...(ejection !== undefined && {
      ejection: { errors: ejection.consecutiveErrors, periodMs: durationMs(ejection.duration) },
    }),
    ...(slowStart !== undefined && { slowStartMs: durationMs(slowStart) }),
    ...(concurrency !== undefined && {
      concurrency: {
        perInstance: concurrency.perInstance,
        ...(concurrency.queue.length !== undefined && { mostWaiting: concurrency.queue.length }),
        waitMs: durationMs(concurrency.queue.timeout),
      },
    }),
  }
}

const kindsOfHash = { Header: 'header', Cookie: 'cookie', QueryParameter: 'query' } as const

function choiceOf({ algorithm, hash }: BalancingPolicy['spec']): Balancing['choice'] {
  if (algorithm === 'LeastConnections') return 'leastConnections'
  if (algorithm !== 'ConsistentHash' || hash === undefined) return 'roundRobin'
  return hash.by === 'Address' ? { by: 'address' } : ({ by: kindsOfHash[hash.by], name: hash.name! } satisfies HashedBy)
}

/** Services of one host need cookies of different names, or clients would lose the one for the other. */
function affinityOf(
  { cookie: { name, maxAge } }: NonNullable<BalancingPolicy['spec']['affinity']>,
  policy: BalancingPolicy,
  { namespace, name: service }: Service,
): Affinity {
  return {
    cookie: name ?? `instance-${hashOf({ namespace, service })}`,
    // Nobody outside of the cluster knows it, and it stays as long as the policy does.
    key: createHash('sha256')
      .update(`affinity ${policy.metadata.uid ?? ownerOf(policy)}`)
      .digest('hex'),
    ...(maxAge !== undefined && { maxAgeSeconds: Math.ceil(durationMs(maxAge) / 1000) }),
  }
}
