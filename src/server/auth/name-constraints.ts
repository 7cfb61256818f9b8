// What a certificate authority may vouch for, as an extension of its certificate that clients hold it to. Pure.
// Source: RFC 5280, 4.2.1.10; DER: X.690.

export interface PermittedNames {
  /** Each with all names below it. */
  readonly names: readonly string[]
  /** Ranges of IPv4 addresses: address and mask, four bytes each. */
  readonly ranges: readonly (readonly number[])[]
}

export const nameConstraintsId = '2.5.29.30'

/** The value of the extension: `NameConstraints` with permitted subtrees alone. */
export function nameConstraints({ names, ranges }: PermittedNames): Uint8Array<ArrayBuffer> {
  const bases = [
    ...names.map(name => der(dnsName, [...new TextEncoder().encode(name)])),
    ...ranges.map(range => der(ipAddress, range)),
  ]
  const permitted = bases.flatMap(base => der(sequence, base))
  return new Uint8Array(der(sequence, der(permittedSubtrees, permitted)))
}

const sequence = 0x30
const permittedSubtrees = 0xa0
const dnsName = 0x82
const ipAddress = 0x87

function der(tag: number, content: readonly number[]): number[] {
  const { length } = content
  if (length > 0xff_ff) throw new RangeError(`expected at most 65535 bytes, found ${length}`)
  const lengthBytes = length < 0x80 ? [length] : length < 0x1_00 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return [tag, ...lengthBytes, ...content]
}
