// Kubernetes' quantities: `500m`, `1.5`, `512Mi`, `1e3`. Values are exact to a billionth (bigint), the
// written form is canonical: no fraction, the largest suffix that keeps the number whole.
// Source: apimachinery pkg/api/resource.

type Format = 'decimal' | 'binary' | 'exponent'

export interface Quantity {
  /** The value in billionths. */
  readonly nano: bigint
  readonly format: Format
}

const billion = 1_000_000_000n
const pattern = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([numkMGTPE]|[KMGTPE]i)|([eE][+-]?\d{1,3}))?$/
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E']
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const cacheLimit = 5_000
const cache = new Map<string, Quantity | undefined>()

/** Undefined when the text is no quantity. */
export function parseQuantity(text: string): Quantity | undefined {
  const known = cache.get(text)
  if (known !== undefined || cache.has(text)) return known
  const parsed = parse(text)
  if (cache.size >= cacheLimit) cache.clear()
  cache.set(text, parsed)
  return parsed
}

function parse(text: string): Quantity | undefined {
  const match = pattern.exec(text.trim())
  if (match === null) return undefined
  const [, sign, digits, suffix = '', exponent] = match
  const [whole = '', fraction = ''] = digits!.split('.')
  const binaryPower = binarySuffixes.indexOf(suffix)
  const format: Format = exponent !== undefined ? 'exponent' : binaryPower > 0 ? 'binary' : 'decimal'
  const powerOfTen = 9 - fraction.length + tensOf(format, suffix, exponent)
  const scaled = BigInt(whole + fraction) * (format === 'binary' ? 1024n ** BigInt(binaryPower) : 1n)
  const nano = scale(scaled, powerOfTen)
  return { nano: sign === '-' ? -nano : nano, format }
}

function tensOf(format: Format, suffix: string, exponent: string | undefined): number {
  if (format === 'exponent') return Number(exponent!.slice(1))
  return format === 'binary' ? 0 : (decimalSuffixes.indexOf(suffix) - 3) * 3
}

/** Rounds up what does not fit, as Kubernetes does. */
function scale(value: bigint, powerOfTen: number): bigint {
  if (powerOfTen >= 0) return value * 10n ** BigInt(powerOfTen)
  return ceilDivide(value, 10n ** BigInt(-powerOfTen))
}

function ceilDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor > 0n ? quotient + 1n : quotient
}

export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0'
  const small = nano > -1024n * billion && nano < 1024n * billion
  if (format === 'binary' && !small && nano % billion === 0n) return formatBinary(nano / billion)
  return formatDecimal(nano, format)
}

function formatBinary(value: bigint): string {
  let power = 0
  while (power < binarySuffixes.length - 1 && value % 1024n === 0n) {
    value /= 1024n
    power++
  }
  return `${value}${binarySuffixes[power]}`
}

function formatDecimal(nano: bigint, format: Format): string {
  let power = 0
  while (power < decimalSuffixes.length - 1 && nano % 1000n === 0n) {
    nano /= 1000n
    power++
  }
  if (format !== 'exponent') return `${nano}${decimalSuffixes[power]}`
  const exponent = (power - 3) * 3
  return exponent === 0 ? `${nano}` : `${nano}e${exponent}`
}

/** The canonical text; a bare number of JSON is welcome; text that is no quantity comes back as it is (decoding refuses it). */
export function canonicalQuantity(value: string | number): string {
  const text = `${value}`
  const quantity = parseQuantity(text)
  return quantity === undefined ? text : formatQuantity(quantity)
}

const nanoOf = (text: string | undefined): bigint => (text === undefined ? 0n : (parseQuantity(text)?.nano ?? 0n))

/** Negative, zero or positive; absent counts as zero. */
export function compareQuantities(left: string | undefined, right: string | undefined): number {
  const [a, b] = [nanoOf(left), nanoOf(right)]
  return a < b ? -1 : a > b ? 1 : 0
}

/** The sum in the format of the first that is not zero. */
export function addQuantities(left: string, right: string): string {
  const [a, b] = [parseQuantity(left), parseQuantity(right)]
  if (a === undefined || b === undefined) return a === undefined ? right : left
  return formatQuantity({ nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format })
}

/** Thousandths, rounded up: CPU. Absent or malformed is 0. */
export const milliValue = (text: string | undefined): number => Number(ceilDivide(nanoOf(text), 1_000_000n))

/** Whole units, rounded up: bytes and counts. Absent or malformed is 0. */
export const wholeValue = (text: string | undefined): number => Number(ceilDivide(nanoOf(text), billion))

/** Makes every quantity of a resource list canonical, in place. */
export function canonicalizeResourceList(list: Record<string, string> | undefined): void {
  if (list === undefined) return
  for (const [name, text] of Object.entries(list)) list[name] = canonicalQuantity(text)
}
