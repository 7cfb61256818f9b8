// IP addresses and CIDR ranges, as Kubernetes parses them: no zones, no IPv4 in IPv6.
import { isIPv4, isIPv6 } from '../../validation/formats.ts'
import { EvaluationError } from '../cel-error.ts'
import { fixed, overload, type Overload } from '../functions.ts'
import { OpaqueValue, sizeOf, type Value } from '../values.ts'
import { traversal } from './standard.ts'

class IPValue extends OpaqueValue {
  readonly type = 'net.IP'
  readonly bits: 32 | 128
  readonly number: bigint

  constructor(bits: 32 | 128, number: bigint) {
    super()
    this.bits = bits
    this.number = number
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof IPValue && other.bits === this.bits && other.number === this.number
  }
}

class CIDRValue extends OpaqueValue {
  readonly type = 'net.CIDR'
  readonly address: IPValue
  readonly prefix: number

  constructor(address: IPValue, prefix: number) {
    super()
    this.address = address
    this.prefix = prefix
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof CIDRValue && other.prefix === this.prefix && other.address.equals(this.address)
  }
}

function addressOf(text: string): IPValue | undefined {
  if (isIPv4(text))
    return new IPValue(
      32,
      text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n),
    )
  if (!isIPv6(text) || text.includes('.')) return undefined
  const [head = '', tail] = text.split('::')
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const all =
    tail === undefined
      ? before
      : [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
  const number = all.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n)
  return number >> 32n === 0xffffn ? undefined : new IPValue(128, number)
}

function ip(text: string): IPValue {
  const address = addressOf(text)
  if (address === undefined)
    throw new EvaluationError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    )
  return address
}

function rangeOf(text: string): CIDRValue | undefined {
  const [, address, prefix] = /^(.+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const parsed = address === undefined ? undefined : addressOf(address)
  return parsed === undefined || Number(prefix) > parsed.bits ? undefined : new CIDRValue(parsed, Number(prefix))
}

function cidr(text: string): CIDRValue {
  const range = rangeOf(text)
  if (range === undefined)
    throw new EvaluationError(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): unable to parse`,
    )
  return range
}

function formatIP({ bits, number }: IPValue): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map(shift => (number >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((number >> BigInt(112 - index * 16)) & 65_535n).toString(16))
  const runs = [...groups.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)]
    .map(match => match[0])
    .sort((a, b) => b.length - a.length)
  const text = groups.join(':')
  if (runs[0] === undefined) return text
  const at = [...text.matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].find(
    match => match[0].length === runs[0]!.length,
  )!.index
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + runs[0].length).replace(/^:/, '')}`
}

const masked = ({ address, prefix }: CIDRValue): CIDRValue =>
  new CIDRValue(new IPValue(address.bits, prefixOf(address, prefix) << BigInt(address.bits - prefix)), prefix)
const prefixOf = ({ bits, number }: IPValue, prefix: number): bigint => number >> BigInt(bits - prefix)
const containsIP = ({ address, prefix }: CIDRValue, other: IPValue): boolean =>
  other.bits === address.bits && prefixOf(other, prefix) === prefixOf(address, prefix)
const containsCIDR = (range: CIDRValue, other: CIDRValue): boolean =>
  other.prefix >= range.prefix && containsIP(range, other.address)

function within(first: bigint, bits: number) {
  return ({ number }: IPValue, width: number): boolean => number >> BigInt(width - bits) === first
}

const is4 = (address: IPValue): boolean => address.bits === 32
const isLoopback = (address: IPValue): boolean => (is4(address) ? within(127n, 8)(address, 32) : address.number === 1n)
const isLinkLocalMulticast = (address: IPValue): boolean =>
  is4(address) ? within(0xe00000n, 24)(address, 32) : ((address.number >> 112n) & 0xff0fn) === 0xff02n
const isLinkLocalUnicast = (address: IPValue): boolean =>
  is4(address) ? within(0xa9fen, 16)(address, 32) : within(0x3fan, 10)(address, 128)
const isMulticast = (address: IPValue): boolean =>
  is4(address) ? within(0xen, 4)(address, 32) : within(0xffn, 8)(address, 128)
const isGlobalUnicast = (address: IPValue): boolean =>
  address.number !== 0n &&
  !isLoopback(address) &&
  !isMulticast(address) &&
  !isLinkLocalUnicast(address) &&
  !(is4(address) && address.number === 0xffffffffn)

const one = fixed(1)
const perByte = 0.1

/** The bytes of the prefix are compared, those of a range are masked before, and a text is parsed. */
function containment({ ofRange }: { ofRange: boolean }) {
  return ([range, other]: readonly Value[]): number => {
    const bytes = Math.ceil((range as CIDRValue).prefix / 8)
    const parsing = typeof other === 'string' ? Math.ceil(sizeOf(other) * perByte) : 0
    return Math.ceil(2 * bytes * perByte) + (ofRange ? Math.ceil(bytes * perByte) + 1 : 0) + parsing
  }
}

export const networkFunctions: readonly Overload[] = [
  overload('ip(string): net.IP', ip, traversal(0)),
  overload('isIP(string): bool', (text: string) => addressOf(text) !== undefined, traversal(0)),
  overload('ip.isCanonical(string): bool', (text: string) => formatIP(ip(text)) === text, traversal(0, 2)),
  overload('string(net.IP): string', formatIP),
  overload('net.IP::family(): int', (address: IPValue) => (is4(address) ? 4n : 6n), one),
  overload('net.IP::isUnspecified(): bool', ({ number }: IPValue) => number === 0n, one),
  overload('net.IP::isLoopback(): bool', isLoopback, one),
  overload('net.IP::isLinkLocalMulticast(): bool', isLinkLocalMulticast, one),
  overload('net.IP::isLinkLocalUnicast(): bool', isLinkLocalUnicast, one),
  overload('net.IP::isGlobalUnicast(): bool', isGlobalUnicast, one),
  overload('cidr(string): net.CIDR', cidr, traversal(0)),
  overload('isCIDR(string): bool', (text: string) => rangeOf(text) !== undefined, traversal(0)),
  overload('string(net.CIDR): string', ({ address, prefix }: CIDRValue) => `${formatIP(address)}/${prefix}`),
  overload('net.CIDR::ip(): net.IP', ({ address }: CIDRValue) => address, one),
  overload('net.CIDR::masked(): net.CIDR', masked, one),
  overload('net.CIDR::prefixLength(): int', ({ prefix }: CIDRValue) => BigInt(prefix), one),
  overload('net.CIDR::containsIP(net.IP): bool', containsIP, containment({ ofRange: false })),
  overload(
    'net.CIDR::containsIP(string): bool',
    (range: CIDRValue, text: string) => containsIP(range, ip(text)),
    containment({ ofRange: false }),
  ),
  overload('net.CIDR::containsCIDR(net.CIDR): bool', containsCIDR, containment({ ofRange: true })),
  overload(
    'net.CIDR::containsCIDR(string): bool',
    (range: CIDRValue, text: string) => containsCIDR(range, cidr(text)),
    containment({ ofRange: true }),
  ),
]
