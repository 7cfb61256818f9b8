// Which connections without a handshake (UDP, SCTP) the kernel still leads where nobody listens any more. A
// rule counts for the first packet of a connection alone; one that is never silent would go on to a backend
// that is gone, or to the bare address when it began before the first backend. Pure: the kernel's list is
// compared with the rules, so it does not matter how often and by whom rules were changed meanwhile.
import { addressInRange } from '../lib/ipv4.ts'
import type { Flow } from '../host/connection-tracking.ts'
import type { PortRule } from './service-rules.ts'

export interface FlowFacts {
  readonly podCidr: string
  /** Whether node ports are served on it. */
  readonly isNodePortAddress: (address: string) => boolean
}

/** Protocols of which nothing tells a sender that its peer is gone. */
export const withoutHandshake = ['udp', 'sctp'] as const

const place = (protocol: string, address: string, port: number): string => `${protocol} ${address} ${port}`

/** One of each kind; see `forgetFlow`. */
export function staleFlows(flows: readonly Flow[], rules: readonly PortRule[], facts: FlowFacts): Flow[] {
  const serving = servingAt(rules)
  const stale = new Map<string, Flow>()
  for (const flow of flows) {
    const { protocol, address, port, target, targetPort } = flow
    const targets =
      serving.get(place(protocol, address, port)) ??
      (facts.isNodePortAddress(address) ? serving.get(place(protocol, '*', port)) : undefined)
    const isTranslated = target !== address || targetPort !== port
    const isStale =
      targets === undefined
        ? // Only this cluster leads to its pods.
          isTranslated && addressInRange(target, facts.podCidr)
        : !targets.has(`${target}:${targetPort}`) && (isTranslated || targets.size > 0)
    if (isStale) stale.set(`${place(protocol, address, port)} ${target}:${targetPort}`, flow)
  }
  return [...stale.values()]
}

/** Who may go on serving what was begun, by the place that senders send to; `*` stands for the machine's addresses. */
function servingAt(rules: readonly PortRule[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  for (const { protocol, addresses, port, nodePort, serving } of rules) {
    const places = addresses.map(address => place(protocol, address, port))
    if (nodePort !== undefined) places.push(place(protocol, '*', nodePort))
    for (const one of places) {
      const targets = found.get(one) ?? new Set()
      for (const backend of serving) targets.add(`${backend.address}:${backend.port}`)
      found.set(one, targets)
    }
  }
  return found
}

/** Whether going from one set of rules to the other can leave such connections behind. */
export function mayLeaveFlows(before: readonly PortRule[] = [], after: readonly PortRule[] = []): boolean {
  const essence = (rules: readonly PortRule[]): string =>
    JSON.stringify(
      rules
        .filter(({ protocol }) => protocol !== 'tcp')
        .map(({ protocol, addresses, port, nodePort, serving }) => [protocol, addresses, port, nodePort, serving]),
    )
  return essence(before) !== essence(after)
}
