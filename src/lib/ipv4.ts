// Arithmetic on IPv4 addresses and ranges (`10.43.0.0/16`).

export function parseAddress(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (parts === undefined || parts.some(part => part > 255)) return undefined
  return parts.reduce((sum, part) => sum * 256 + part, 0)
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.')
}

function parseRange(cidr: string): { first: number; count: number } {
  const [base = '', length = '32'] = cidr.split('/')
  const address = parseAddress(base)
  if (address === undefined) throw new RangeError(`expected an IPv4 range such as 10.43.0.0/16, found "${cidr}"`)
  const count = 2 ** (32 - Number(length))
  return { first: Math.floor(address / count) * count, count }
}

export const addressCount = (cidr: string): number => parseRange(cidr).count

/** The address `index` places after the range's first. */
export const nthAddress = (cidr: string, index: number): string => formatAddress(parseRange(cidr).first + index)

export function addressInRange(text: string, cidr: string): boolean {
  const address = parseAddress(text)
  const { first, count } = parseRange(cidr)
  return address !== undefined && address >= first && address < first + count
}

/** The same without the two addresses that name the range and everybody in it. */
export function isHostAddress(text: string, cidr: string): boolean {
  const address = parseAddress(text)
  const { first, count } = parseRange(cidr)
  return address !== undefined && address > first && address < first + count - 1
}

/** Whether every address of `inner` is one of `outer`. */
export function rangeContains(outer: string, inner: string): boolean {
  const [out, within] = [parseRange(outer), parseRange(inner)]
  return within.first >= out.first && within.first + within.count <= out.first + out.count
}
