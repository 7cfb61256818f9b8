// From what there is in the cluster to what the gateway does. Pure.
import { backendsOf } from './backends.ts'
import { ingressRules, type IngressRules, type HostRule } from './ingress-rules.ts'
import { compareRules } from './match-order.ts'
import type { GatewayModel, Host } from './model.ts'
import type { Observed } from './observed.ts'

export interface MadeModel extends Pick<IngressRules, 'own' | 'problems'> {
  readonly model: GatewayModel
}

/** Where requests come in that ask for nothing else. */
export interface Front {
  readonly address: string
  /** That plain requests come to. */
  readonly port: number
}

export function gatewayModel(observed: Observed, { address, port }: Front): MadeModel {
  const { own, rules, problems } = ingressRules(observed)
  const model: GatewayModel = {
    entrances: [{ address, port, hosts: hostsOf(rules) }],
    backends: backendsOf(
      rules.flatMap(({ backends }) => backends),
      observed,
    ),
    certificates: new Map(),
  }
  return { own, problems, model }
}

function hostsOf(rules: readonly HostRule[]): readonly Host[] {
  const byName = Map.groupBy(rules, ({ name }) => JSON.stringify(name))
  return [...byName.values()].map(all => ({
    name: all[0]!.name,
    listener: '',
    rules: all.map(({ rule }) => rule).toSorted(compareRules),
  }))
}
