// Kubernetes' quantities.
import { fitsInt64 } from '../../../lib/int64.ts'
import { compareQuantities, formatQuantity, parseQuantity } from '../../quantity.ts'
import { EvaluationError } from '../cel-error.ts'
import { fixed, overload, type Overload } from '../functions.ts'
import { OpaqueValue } from '../values.ts'
import { traversal } from './standard.ts'

const billion = 1_000_000_000n

class QuantityValue extends OpaqueValue {
  readonly type = 'kubernetes.Quantity'
  readonly text: string
  readonly nano: bigint

  constructor(text: string, nano: bigint) {
    super()
    this.text = text
    this.nano = nano
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof QuantityValue && other.nano === this.nano
  }
}

function quantity(text: string): QuantityValue {
  const parsed = parseQuantity(text)
  if (parsed === undefined)
    throw new EvaluationError(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    )
  return new QuantityValue(text, parsed.nano)
}

function sum(a: QuantityValue, b: bigint): QuantityValue {
  const nano = a.nano + b
  return new QuantityValue(formatQuantity({ nano, format: parseQuantity(a.text)!.format }), nano)
}

const isInteger = ({ nano }: QuantityValue): boolean => nano % billion === 0n && fitsInt64(nano / billion)

function asInteger(value: QuantityValue): bigint {
  if (!isInteger(value)) throw new EvaluationError('cannot convert value to integer')
  return value.nano / billion
}

const compare = (a: QuantityValue, b: QuantityValue): bigint => BigInt(Math.sign(compareQuantities(a.text, b.text)))
const one = fixed(1)

export const quantityFunctions: readonly Overload[] = [
  overload('quantity(string): kubernetes.Quantity', quantity, traversal(0)),
  overload('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined, traversal(0)),
  overload(
    'kubernetes.Quantity::sign(): int',
    ({ nano }: QuantityValue) => (nano > 0n ? 1n : nano < 0n ? -1n : 0n),
    one,
  ),
  overload('kubernetes.Quantity::isInteger(): bool', isInteger, one),
  overload('kubernetes.Quantity::asInteger(): int', asInteger, one),
  overload(
    'kubernetes.Quantity::asApproximateFloat(): double',
    ({ nano }: QuantityValue) => Number(nano) / Number(billion),
    one,
  ),
  overload(
    'kubernetes.Quantity::isGreaterThan(kubernetes.Quantity): bool',
    (a: QuantityValue, b: QuantityValue) => a.nano > b.nano,
    one,
  ),
  overload(
    'kubernetes.Quantity::isLessThan(kubernetes.Quantity): bool',
    (a: QuantityValue, b: QuantityValue) => a.nano < b.nano,
    one,
  ),
  overload('kubernetes.Quantity::compareTo(kubernetes.Quantity): int', compare, one),
  overload(
    'kubernetes.Quantity::add(kubernetes.Quantity): kubernetes.Quantity',
    (a: QuantityValue, b: QuantityValue) => sum(a, b.nano),
    one,
  ),
  overload(
    'kubernetes.Quantity::add(int): kubernetes.Quantity',
    (a: QuantityValue, b: bigint) => sum(a, b * billion),
    one,
  ),
  overload(
    'kubernetes.Quantity::sub(kubernetes.Quantity): kubernetes.Quantity',
    (a: QuantityValue, b: QuantityValue) => sum(a, -b.nano),
    one,
  ),
  overload(
    'kubernetes.Quantity::sub(int): kubernetes.Quantity',
    (a: QuantityValue, b: bigint) => sum(a, -b * billion),
    one,
  ),
]
