// From what there is in the cluster to what the gateway does. Pure.
import { backendsOf } from './backends.ts'
import { ingressCertificates } from './ingress-certificates.ts'
import { ingressRules, type IngressRules, type HostRule } from './ingress-rules.ts'
import { compareRules } from './match-order.ts'
import type { GatewayModel, Host } from './model.ts'
import type { Observed } from './observed.ts'
import { ownNamesOf, redirectedTo } from './secure-front.ts'

export interface MadeModel extends Pick<IngressRules, 'own' | 'problems'> {
  readonly model: GatewayModel
  /** That the own authority of the machine is to vouch for at the front. */
  readonly ownNames: readonly string[]
}

/** Where requests come in that ask for nothing else. */
export interface Front {
  readonly address: string
  /** That plain requests come to. */
  readonly port: number
  /** Where TLS ends; undefined: nowhere. */
  readonly securePort?: number
}

export function gatewayModel(observed: Observed, { address, port, securePort }: Front): MadeModel {
  const { own, rules, problems } = ingressRules(observed)
  const hosts = hostsOf(rules)
  const plain =
    securePort === undefined ? rules : rules.map(rule => (rule.wantsTls ? redirectedTo(securePort, rule) : rule))
  const isSecure = securePort !== undefined && hosts.length > 0
  const served = ingressCertificates(isSecure ? own : [], observed)
  const model: GatewayModel = {
    entrances: [
      { address, port, hosts: hostsOf(plain) },
      ...(isSecure ? [{ address, port: securePort, tls: { certificates: served.shown }, hosts }] : []),
    ],
    backends: backendsOf(
      [...rules, ...plain].flatMap(({ backends }) => backends),
      observed,
    ),
    certificates: served.certificates,
  }
  return {
    own,
    problems: [...problems, ...served.problems],
    model,
    ownNames: isSecure ? ownNamesOf(hosts, served) : [],
  }
}

function hostsOf(rules: readonly HostRule[]): readonly Host[] {
  const byName = Map.groupBy(rules, ({ name }) => JSON.stringify(name))
  return [...byName.values()].map(all => ({
    name: all[0]!.name,
    listener: '',
    rules: all.map(({ rule }) => rule).toSorted(compareRules),
  }))
}
