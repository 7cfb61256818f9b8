// From what there is in the cluster to what the gateway does. Pure.
import { backendsOf } from './backends.ts'
import { ingressRules, type IngressRules, type HostRule } from './ingress-rules.ts'
import { compareRules } from './match-order.ts'
import type { GatewayModel, Host } from './model.ts'
import type { Observed } from './observed.ts'

export interface MadeModel extends Pick<IngressRules, 'own' | 'problems'> {
  readonly model: GatewayModel
}

/** @param port that plain requests come to */
export function gatewayModel(observed: Observed, port: number): MadeModel {
  const { own, rules, problems } = ingressRules(observed)
  const model: GatewayModel = {
    ports: [{ port, hosts: hostsOf(rules) }],
    backends: backendsOf(
      rules.map(({ rule }) => rule),
      observed,
    ),
  }
  return { own, problems, model }
}

function hostsOf(rules: readonly HostRule[]): readonly Host[] {
  const byName = Map.groupBy(rules, ({ name }) => JSON.stringify(name))
  return [...byName.values()].map(all => ({
    name: all[0]!.name,
    rules: all.map(({ rule }) => rule).toSorted(compareRules),
  }))
}
