// What the rules of an nftables table that is not ours deny to pods: packets of each kind that a cluster needs are
// led through its chains as the kernel would lead them. An acceptance of ours cannot help there, since each
// table has its say; so people are told which rules to add. Pure. A condition that cannot be judged here (sets by
// name, marks, limits) counts as not met.
import { addressInRange, nthAddress, parseAddress } from '../../lib/ipv4.ts'
import type { FirewallFacts } from './iptables-script.ts'

/** Statements of a rule, as `nft -j` prints them. */
type Statement = Readonly<Record<string, unknown>>

interface Chain {
  readonly name: string
  readonly hook?: string
  readonly type?: string
  readonly policy?: string
  readonly rules: Statement[][]
}

/** The chains of a table, as `nft -j list table` prints them. */
interface TableListing {
  readonly nftables: readonly {
    readonly chain?: { readonly name: string; readonly hook?: string; readonly type?: string; readonly policy?: string }
    readonly rule?: { readonly chain: string; readonly expr?: Statement[] }
  }[]
}

export interface CutOff {
  /** Who from whom: `pods from each other`. */
  readonly what: readonly string[]
  /** What lets them through, as a command. */
  readonly command: string
  /** Whether it is still so when the firewall is started anew. */
  readonly lasts: boolean
}

interface Packet {
  readonly iifname?: string
  readonly oifname?: string
  readonly saddr: string
  readonly daddr: string
  readonly protocol: 'tcp' | 'udp'
  readonly dport: number
  readonly state: 'new' | 'established'
  /** Sent to the address of a service. */
  readonly translated: boolean
}

/** undefined: nothing that a cluster needs is denied. @param skipped chains that are taken care of otherwise */
export function cutOffBy(
  table: { readonly family: string; readonly name: string },
  listing: TableListing,
  facts: FirewallFacts,
  skipped: readonly string[] = [],
): CutOff | undefined {
  const chains = readChains(listing)
  const what: string[] = []
  const rules: string[] = []
  for (const chain of chains.values()) {
    if (chain.type !== 'filter' || chain.hook === undefined || skipped.includes(chain.name)) continue
    const denied = neededAt(chain.hook, facts).filter(([, packet]) => isDenied(chains, chain, packet))
    if (denied.length === 0) continue
    what.push(...denied.map(([words]) => words))
    rules.push(
      ...remedies(chain.hook, facts).map(rule => `insert rule ${table.family} ${table.name} ${chain.name} ${rule}`),
    )
  }
  if (what.length === 0) return undefined
  if (table.name === 'firewalld') {
    const command = `firewall-cmd --permanent --zone=trusted --add-source=${facts.podCidr} && firewall-cmd --reload`
    return { what, command, lasts: true }
  }
  return { what, command: `nft '${rules.join('; ')}'`, lasts: false }
}

/** What of the packets at a hook a cluster cannot do without. */
function neededAt(hook: string, { podCidr, nodeAddress }: FirewallFacts): [string, Packet][] {
  const [one, other] = [nthAddress(podCidr, 2), nthAddress(podCidr, 3)]
  const pod = 'veth0a1b2c3d'
  const between: Packet = {
    iifname: pod,
    oifname: 'vethd3c2b1a0',
    saddr: one,
    daddr: other,
    protocol: 'tcp',
    dport: 8080,
    state: 'new',
    translated: false,
  }
  switch (hook) {
    case 'forward':
      return [
        ['pods from each other', between],
        ['pods from services', { ...between, translated: true }],
        ['pods from what is outside', without('oifname', { ...between, daddr: documentationAddress, dport: 443 })],
      ]
    case 'input': {
      const incoming = without('oifname', { ...between, daddr: nodeAddress })
      return [
        ['pods from names and the API', { ...incoming, protocol: 'udp', dport: 53, translated: true }],
        ['the machine from what pods answer', { ...incoming, dport: 50_000, state: 'established' }],
      ]
    }
    case 'output':
      return [['pods from the machine', without('iifname', { ...between, saddr: nodeAddress })]]
    default:
      return []
  }
}

/** Stands for any address elsewhere (RFC 5737). */
const documentationAddress = '203.0.113.1'

const without = (field: 'iifname' | 'oifname', packet: Packet): Packet =>
  Object.fromEntries(Object.entries(packet).filter(([name]) => name !== field)) as unknown as Packet

const remedies = (hook: string, { podCidr }: FirewallFacts): string[] =>
  ({
    forward: [`ip saddr ${podCidr} accept`, `ip daddr ${podCidr} ct state established,related accept`],
    input: [`ip saddr ${podCidr} ct status dnat accept`, `ip saddr ${podCidr} ct state established,related accept`],
    output: [`ip daddr ${podCidr} accept`],
  })[hook] ?? []

function readChains({ nftables }: TableListing): Map<string, Chain> {
  const chains = new Map<string, Chain>()
  for (const { chain } of nftables) if (chain !== undefined) chains.set(chain.name, { ...chain, rules: [] })
  for (const { rule } of nftables) if (rule !== undefined) chains.get(rule.chain)?.rules.push(rule.expr ?? [])
  return chains
}

const isDenied = (chains: ReadonlyMap<string, Chain>, base: Chain, packet: Packet): boolean =>
  (walk(chains, base, packet) ?? base.policy) === 'drop'

type Verdict = 'accept' | 'drop'

/** undefined: it comes out at the end. */
function walk(chains: ReadonlyMap<string, Chain>, chain: Chain, packet: Packet, depth = 0): Verdict | undefined {
  for (const rule of chain.rules) {
    const end = verdictOf(rule, packet)
    if (end === undefined) continue
    if (end === 'accept' || end === 'drop') return end
    if (end === 'return') return undefined
    const target = chains.get(end.target)
    const inner = target === undefined || depth > 16 ? undefined : walk(chains, target, packet, depth + 1)
    if (inner !== undefined || end.isGoto) return inner
  }
  return undefined
}

type RuleEnd = Verdict | 'return' | { readonly target: string; readonly isGoto: boolean }

/** What a rule says of a packet; undefined: nothing. */
function verdictOf(rule: readonly Statement[], packet: Packet): RuleEnd | undefined {
  for (const statement of rule) {
    const [kind, value] = contentOf(statement)
    switch (kind) {
      case 'match':
        if (!isMet(value as Match, packet)) return undefined
        break
      case 'limit':
        return undefined
      case 'xt': {
        const { type, name } = (value ?? {}) as { type?: string; name?: string }
        if (type === 'target' && name === 'REJECT') return 'drop'
        if (type !== 'target') return undefined
        break
      }
      case 'vmap': {
        const found = mapped(value as VerdictMap, packet)
        if (found !== undefined) return endOf(found)
        break
      }
      default: {
        const end = endOf(statement)
        if (end !== undefined) return end
      }
    }
  }
  return undefined
}

/** Each statement has one property, named after what it does. */
const contentOf = (statement: Statement): [string, unknown] => Object.entries(statement)[0] ?? ['', undefined]

function endOf(statement: Statement): RuleEnd | undefined {
  const [kind, value] = contentOf(statement)
  switch (kind) {
    case 'accept':
    case 'return':
      return kind
    case 'drop':
    case 'reject':
      return 'drop'
    case 'jump':
    case 'goto':
      return { target: (value as { target: string }).target, isGoto: kind === 'goto' }
    default:
      return undefined
  }
}

interface Match {
  readonly op: string
  readonly left: unknown
  readonly right: unknown
}

interface VerdictMap {
  readonly key: unknown
  readonly data: { readonly set?: readonly (readonly [unknown, Statement])[] } | string
}

function mapped({ key, data }: VerdictMap, packet: Packet): Statement | undefined {
  const value = valueOf(key, packet)
  if (value === undefined || typeof data === 'string') return undefined
  return data.set?.find(([wanted]) => isIn(value, wanted) === true)?.[1]
}

function isMet({ op, left, right }: Match, packet: Packet): boolean {
  const value = valueOf(left, packet)
  const found = value === undefined ? undefined : isIn(value, right)
  if (found === undefined) return false
  return op === '!=' ? !found : (op === '==' || op === 'in') && found
}

/** What a packet has at the left side of a condition, one of several for flags; undefined: cannot be told. */
function valueOf(left: unknown, packet: Packet): readonly (string | number)[] | undefined {
  const {
    meta,
    payload,
    ct,
    '&': masked,
  } = left as {
    meta?: { key: string }
    payload?: { protocol?: string; field?: string }
    ct?: { key: string }
    '&'?: unknown[]
  }
  const known = (value: string | number | undefined): [string | number] | undefined =>
    value === undefined ? undefined : [value]
  if (masked !== undefined) return valueOf(masked[0], packet)
  switch (meta?.key ?? ct?.key) {
    case 'iif':
    case 'iifname':
      return known(packet.iifname)
    case 'oif':
    case 'oifname':
      return known(packet.oifname)
    case 'l4proto':
      return [packet.protocol]
    case 'nfproto':
      return ['ipv4']
    case 'protocol':
      return ['ip']
    case 'state':
      return [packet.state]
    case 'status':
      return packet.translated ? ['dnat'] : []
    default:
      return payload === undefined ? undefined : payloadOf(payload, packet)
  }
}

/** Of a header that the packet does not have, nothing is equal to anything. */
function payloadOf(
  { protocol, field }: { protocol?: string; field?: string },
  packet: Packet,
): readonly (string | number)[] | undefined {
  if (protocol === 'ip') {
    const fields: Record<string, string> = { saddr: packet.saddr, daddr: packet.daddr, protocol: packet.protocol }
    return field !== undefined && field in fields ? [fields[field]!] : undefined
  }
  if (protocol === 'th' || protocol === packet.protocol) return field === 'dport' ? [packet.dport] : undefined
  return []
}

/** Whether one of the values is what stands on the right; undefined: cannot be told. */
function isIn(values: readonly (string | number)[], right: unknown): boolean | undefined {
  if (Array.isArray(right)) return right.some(one => isIn(values, one) === true)
  if (typeof right === 'string' || typeof right === 'number')
    return typeof right === 'string' && right.startsWith('@') ? undefined : values.some(value => isLike(value, right))
  const { set, prefix, range } = (right ?? {}) as {
    set?: unknown[]
    prefix?: { addr: string; len: number }
    range?: [string | number, string | number]
  }
  if (set !== undefined) return isIn(values, set)
  if (prefix !== undefined) return values.some(value => addressInRange(String(value), `${prefix.addr}/${prefix.len}`))
  if (range !== undefined)
    return values.some(value => order(range[0]) <= order(value) && order(value) <= order(range[1]))
  return undefined
}

const isLike = (value: string | number, wanted: string | number): boolean =>
  typeof wanted === 'string' && wanted.endsWith('*')
    ? String(value).startsWith(wanted.slice(0, -1))
    : String(value) === String(wanted)

const order = (value: string | number): number =>
  typeof value === 'number' ? value : (parseAddress(value) ?? Number.NaN)
