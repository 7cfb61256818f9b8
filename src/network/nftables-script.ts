// Writes nftables scripts: the whole table for a start, and the smallest change for an update. Each script
// is one transaction. Pure. One chain per service port chooses a backend; maps lead packets to chains;
// a service without backends refuses connections at once instead of letting them hang.
import { rangeContains } from '../lib/ipv4.ts'
import { isOpenInPart, type PortRule } from './service-rules.ts'

export interface TableFacts {
  /** Name of the table; one per cluster. */
  readonly table: string
  readonly podCidr: string
  readonly serviceCidr: string
  /** The cluster's own link; traffic to it never leaves the machine. */
  readonly linkName: string
  /** Ranges; node ports are served on the addresses of this machine that lie in one of them. */
  readonly nodePortRanges: readonly string[]
}

/** Replaces the table, whatever was in it, in one step: connections that exist go on. */
export function wholeTable(facts: TableFacts, rules: readonly PortRule[]): string {
  const { table, podCidr, serviceCidr, linkName } = facts
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  map node-ports { type inet_proto . inet_service : verdict; }
  set unserved { type ipv4_addr . inet_proto . inet_service; }
  set unserved-node-ports { type inet_proto . inet_service; }
  set hairpins { type ipv4_addr . ipv4_addr; }
  set node-port-ranges { type ipv4_addr; flags interval; auto-merge; elements = { ${facts.nodePortRanges.join(', ')} }; }
  chain dispatch {
    ip daddr . meta l4proto . th dport vmap @services
    ip daddr @node-port-ranges fib daddr type local meta l4proto . th dport vmap @node-ports
  }
  chain refuse {
    ip daddr . meta l4proto . th dport @unserved reject
    ct direction original meta l4proto . th dport @unserved-node-ports ip daddr @node-port-ranges fib daddr type local reject
  }
  chain prerouting { type nat hook prerouting priority dstnat; jump dispatch; }
  chain output { type nat hook output priority -100; jump dispatch; }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    ip saddr . ip daddr @hairpins masquerade
    ip saddr 127.0.0.0/8 ip daddr ${podCidr} masquerade
    ip saddr ${podCidr} ip daddr != { ${podCidr}, ${serviceCidr} } oifname != "${linkName}" masquerade
  }
  chain refuse-forwarded { type filter hook forward priority filter; jump refuse; }
  chain refuse-local { type filter hook output priority filter; jump refuse; }
  chain refuse-incoming { type filter hook input priority filter; jump refuse; }
  chain guard-loopback {
    type filter hook prerouting priority mangle;
    iifname != "lo" ip daddr 127.0.0.0/8 ct direction original drop
  }
}
${changes(facts.table, [], rules)}`
}

/** The script that turns one set of rules into another; empty when they are the same. */
export function changes(table: string, before: readonly PortRule[], after: readonly PortRule[]): string {
  const old = claimed(before)
  const now = claimed(after)
  const lines: string[] = []
  // Elements go before new ones come, so that an address that moves between services never stands twice.
  const gone: string[] = []
  for (const rule of old.values()) {
    const next = now.get(rule.chain)
    if (next !== undefined && sameElements(rule, next)) continue
    lines.push(...elementLines('delete', table, rule))
    if (next === undefined && rule.backends.length > 0) gone.push(`delete chain ip ${table} ${rule.chain}`)
  }
  for (const rule of now.values()) {
    const previous = old.get(rule.chain)
    lines.push(...chainLines(table, previous, rule))
    if (previous === undefined || !sameElements(previous, rule)) lines.push(...elementLines('add', table, rule))
    if (previous !== undefined && previous.backends.length > 0 && rule.backends.length === 0)
      gone.push(`delete chain ip ${table} ${rule.chain}`)
  }
  lines.push(...hairpinLines(table, before, after), ...gone)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/**
 * Rules by chain. Two services may ask for the same external address and port; a map of the kernel takes
 * one. The chain that comes first in the alphabet gets it, whatever the order in which they were made.
 */
function claimed(rules: readonly PortRule[]): Map<string, PortRule> {
  const byChain = new Map(rules.map(rule => [rule.chain, rule]))
  const owners = new Map<string, string>()
  let contested = false
  for (const { chain, protocol, port, nodePort, addresses } of byChain.values()) {
    for (const place of placesOf(protocol, port, nodePort, addresses)) {
      const owner = owners.get(place)
      contested ||= owner !== undefined
      if (owner === undefined || chain < owner) owners.set(place, chain)
    }
  }
  if (!contested) return byChain
  for (const [chain, rule] of byChain) {
    const owns = (place: string): boolean => owners.get(place) === chain
    const addresses = rule.addresses.filter(address => owns(`${address} ${rule.protocol} ${rule.port}`))
    const nodePort =
      rule.nodePort !== undefined && owns(`${rule.protocol} ${rule.nodePort}`) ? rule.nodePort : undefined
    byChain.set(chain, { ...rule, addresses, nodePort })
  }
  return byChain
}

function placesOf(
  protocol: string,
  port: number,
  nodePort: number | undefined,
  addresses: readonly string[],
): string[] {
  return [
    ...addresses.map(address => `${address} ${protocol} ${port}`),
    ...(nodePort === undefined ? [] : [`${protocol} ${nodePort}`]),
  ]
}

function sameElements(left: PortRule, right: PortRule): boolean {
  return (
    left.protocol === right.protocol &&
    left.port === right.port &&
    left.nodePort === right.nodePort &&
    left.backends.length > 0 === right.backends.length > 0 &&
    isOpenInPart(left) === isOpenInPart(right) &&
    left.addresses.join() === right.addresses.join()
  )
}

function elementLines(verb: 'add' | 'delete', table: string, rule: PortRule): string[] {
  const { addresses, protocol, port, nodePort, backends, chain } = rule
  const served = backends.length > 0
  const verdict = served ? ` : goto ${chain}` : ''
  const elements = addresses.map(address => `${address} . ${protocol} . ${port}${verdict}`)
  const lines =
    elements.length === 0
      ? []
      : [`${verb} element ip ${table} ${served ? 'services' : 'unserved'} { ${elements.join(', ')} }`]
  // What its chain leads nowhere is refused as what has no chain.
  if (served && isOpenInPart(rule) && addresses.length > 0)
    lines.push(
      `${verb} element ip ${table} unserved { ${addresses.map(address => `${address} . ${protocol} . ${port}`).join(', ')} }`,
    )
  if (nodePort !== undefined)
    lines.push(
      `${verb} element ip ${table} ${served ? 'node-ports' : 'unserved-node-ports'} { ${protocol} . ${nodePort}${verdict} }`,
    )
  return lines
}

function chainLines(table: string, previous: PortRule | undefined, rule: PortRule): string[] {
  if (rule.backends.length === 0) return []
  const rules = chainRules(rule)
  const existed = previous !== undefined && previous.backends.length > 0
  if (existed && chainRules(previous).join('\n') === rules.join('\n')) return []
  const start = existed ? `flush chain ip ${table} ${rule.chain}` : `add chain ip ${table} ${rule.chain}`
  return [start, ...rules.map(text => `add rule ip ${table} ${rule.chain} ${text}`)]
}

const chainRules = (rule: PortRule): readonly string[] => [...sourceRules(rule), targetRule(rule)]

function sourceRules({ sources }: PortRule): readonly string[] {
  if (sources === undefined) return []
  const { allow, deny } = sources
  return [
    ...(deny.length === 0 ? [] : [`ip saddr { ${apart(deny).join(', ')} } return`]),
    ...allow.map(ranges => (ranges.length === 0 ? 'return' : `ip saddr != { ${apart(ranges).join(', ')} } return`)),
  ]
}

/** A set takes no range within another one. */
const apart = (ranges: readonly string[]): readonly string[] =>
  [...new Set(ranges)].filter(
    (range, index, all) =>
      !all.some(
        (other, at) => at !== index && rangeContains(other, range) && (at < index || !rangeContains(range, other)),
      ),
  )

const allPlaces = 1000

function targetRule(rule: PortRule): string {
  const { backends, protocol, sticky, places } = rule
  if (places !== undefined) return placesRule(rule, places)
  if (backends.length === 1) return `meta l4proto ${protocol} dnat to ${backends[0]!.address}:${backends[0]!.port}`
  const choice = sticky ? `jhash ip saddr mod ${backends.length}` : `numgen random mod ${backends.length}`
  const targets = backends.map(({ address, port }, index) => `${index} : ${address} . ${port}`)
  return `meta l4proto ${protocol} dnat ip to ${choice} map { ${targets.join(', ')} }`
}

function placesRule({ backends, protocol, sticky }: PortRule, places: readonly number[]): string {
  const choice = `${sticky ? 'jhash ip saddr' : 'numgen random'} mod ${allPlaces}`
  let first = 0
  const targets = backends.flatMap(({ address, port }, index) => {
    const count = places[index] ?? 0
    if (count === 0) return []
    const last = first + count - 1
    const range = count === 1 ? first : `${first}-${last}`
    first = last + 1
    return [`${range} : ${address} . ${port}`]
  })
  return `meta l4proto ${protocol} dnat ip to ${choice} map { ${targets.join(', ')} }`
}

/** A pod that reaches itself through its service must see another sender than itself. */
function hairpinLines(table: string, before: readonly PortRule[], after: readonly PortRule[]): string[] {
  const had = backendAddresses(before)
  const has = backendAddresses(after)
  const element = (address: string): string => `${address} . ${address}`
  const removed = [...had].filter(address => !has.has(address)).map(element)
  const added = [...has].filter(address => !had.has(address)).map(element)
  return [
    ...(removed.length > 0 ? [`delete element ip ${table} hairpins { ${removed.join(', ')} }`] : []),
    ...(added.length > 0 ? [`add element ip ${table} hairpins { ${added.join(', ')} }`] : []),
  ]
}

const backendAddresses = (rules: readonly PortRule[]): Set<string> =>
  new Set(rules.flatMap(({ backends }) => backends.map(({ address }) => address)))
