// The functions and operators of the CEL specification, with comparisons across the numeric types.
import { decodeUtf8, encodeUtf8 } from '../../../lib/text.ts'
import { EvaluationError } from '../cel-error.ts'
import { overload, type Overload } from '../functions.ts'
import { entryAt, lookUp } from '../program.ts'
import {
  checkedInt,
  checkedUint,
  concatenate,
  equal,
  sizeOf,
  TypeValue,
  typeNameOf,
  UnsignedInteger,
  type CelList,
  type CelMap,
  type CelObject,
  type Duration,
  type Timestamp,
  type Value,
} from '../values.ts'
import { compilePattern } from './pattern.ts'
import {
  checkedDuration,
  checkedTimestamp,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  partOfTime,
  type TimePart,
} from './time.ts'

/** What a traversal of a character costs, and what a character of a regular expression does. */
const perCharacter = 0.1
const perPatternCharacter = 0.25

export const traversal =
  (index: number, factor = 1) =>
  (args: readonly Value[]): number =>
    Math.ceil(sizeOf(args[index]!) * perCharacter * factor)
export const patternPrice = (textSize: number, patternSize: number): number =>
  Math.ceil((1 + textSize) * perCharacter) * Math.ceil(patternSize * perPatternCharacter)
export const patternCost = (args: readonly Value[]): number => patternPrice(sizeOf(args[0]!), sizeOf(args[1]!))
const smaller = (args: readonly Value[]): number =>
  Math.ceil(Math.min(sizeOf(args[0]!), sizeOf(args[1]!)) * perCharacter)
const both = (args: readonly Value[]): number => Math.ceil((sizeOf(args[0]!) + sizeOf(args[1]!)) * perCharacter)

type Numeric = bigint | number | UnsignedInteger
const plain = (value: Numeric): bigint | number => (value instanceof UnsignedInteger ? value.value : value)

const int = {
  add: (a: bigint, b: bigint) => checkedInt(a + b),
  subtract: (a: bigint, b: bigint) => checkedInt(a - b),
  multiply: (a: bigint, b: bigint) => checkedInt(a * b),
  divide: (a: bigint, b: bigint) => checkedInt(a / nonZero(b, 'division by zero')),
  remainder: (a: bigint, b: bigint) => a % nonZero(b, 'modulus by zero'),
}

function nonZero(value: bigint, problem: string): bigint {
  if (value === 0n) throw new EvaluationError(problem)
  return value
}

const arithmetic: Overload[] = [
  overload('_+_(int, int): int', int.add),
  overload('_-_(int, int): int', int.subtract),
  overload('_*_(int, int): int', int.multiply),
  overload('_/_(int, int): int', int.divide),
  overload('_%_(int, int): int', int.remainder),
  overload('-_(int): int', (a: bigint) => checkedInt(-a)),
  overload('_+_(uint, uint): uint', (a: UnsignedInteger, b: UnsignedInteger) => checkedUint(a.value + b.value)),
  overload('_-_(uint, uint): uint', (a: UnsignedInteger, b: UnsignedInteger) => checkedUint(a.value - b.value)),
  overload('_*_(uint, uint): uint', (a: UnsignedInteger, b: UnsignedInteger) => checkedUint(a.value * b.value)),
  overload('_/_(uint, uint): uint', (a: UnsignedInteger, b: UnsignedInteger) =>
    checkedUint(a.value / nonZero(b.value, 'division by zero')),
  ),
  overload('_%_(uint, uint): uint', (a: UnsignedInteger, b: UnsignedInteger) =>
    checkedUint(a.value % nonZero(b.value, 'modulus by zero')),
  ),
  overload('_+_(double, double): double', (a: number, b: number) => a + b),
  overload('_-_(double, double): double', (a: number, b: number) => a - b),
  overload('_*_(double, double): double', (a: number, b: number) => a * b),
  overload('_/_(double, double): double', (a: number, b: number) => a / b),
  overload('-_(double): double', (a: number) => -a),
  overload('_+_(string, string): string', (a: string, b: string) => a + b, both),
  overload('_+_(bytes, bytes): bytes', (a: Uint8Array, b: Uint8Array) => Uint8Array.from([...a, ...b]), both),
  overload(
    '_+_(list(A), list(A)): list(A)',
    (a: CelList, b: CelList) => concatenate(a, b),
    ([a, b]) => Math.max(1, Math.ceil((sizeOf(a!) + sizeOf(b!)) / 100)),
  ),
  overload('_+_(duration, duration): duration', (a: Duration, b: Duration) =>
    checkedDuration(a.nanoseconds + b.nanoseconds),
  ),
  overload('_-_(duration, duration): duration', (a: Duration, b: Duration) =>
    checkedDuration(a.nanoseconds - b.nanoseconds),
  ),
  overload('_+_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) =>
    checkedTimestamp(a.nanoseconds + b.nanoseconds),
  ),
  overload('_+_(duration, timestamp): timestamp', (a: Duration, b: Timestamp) =>
    checkedTimestamp(a.nanoseconds + b.nanoseconds),
  ),
  overload('_-_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) =>
    checkedTimestamp(a.nanoseconds - b.nanoseconds),
  ),
  overload('_-_(timestamp, timestamp): duration', (a: Timestamp, b: Timestamp) =>
    checkedDuration(a.nanoseconds - b.nanoseconds),
  ),
]

const orders: readonly (readonly [string, (order: number) => boolean])[] = [
  ['_<_', order => order < 0],
  ['_<=_', order => order <= 0],
  ['_>_', order => order > 0],
  ['_>=_', order => order >= 0],
]
const compare = <T>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN)
const compareNumbers = (a: Numeric, b: Numeric): number => {
  const [left, right] = [plain(a), plain(b)]
  return left < right ? -1 : left > right ? 1 : Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0
}

/** By code points, as bytes of UTF-8 compare. */
export function compareTexts(a: string, b: string): number {
  const [left, right] = [a[Symbol.iterator](), b[Symbol.iterator]()]
  for (;;) {
    const [x, y] = [left.next(), right.next()]
    if (x.done === true || y.done === true) return (x.done === true ? 0 : 1) - (y.done === true ? 0 : 1)
    if (x.value !== y.value) return x.value.codePointAt(0)! - y.value.codePointAt(0)!
  }
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) if (a[at] !== b[at]) return a[at]! - b[at]!
  return a.length - b.length
}

const comparisons = orders.flatMap(([name, holds]) => [
  overload(`${name}(bool, bool): bool`, (a: boolean, b: boolean) => holds(compare(a, b))),
  ...['int', 'uint', 'double'].flatMap(left =>
    ['int', 'uint', 'double'].map(right =>
      overload(`${name}(${left}, ${right}): bool`, (a: Numeric, b: Numeric) => holds(compareNumbers(a, b))),
    ),
  ),
  overload(`${name}(string, string): bool`, (a: string, b: string) => holds(compareTexts(a, b)), smaller),
  overload(`${name}(bytes, bytes): bool`, (a: Uint8Array, b: Uint8Array) => holds(compareBytes(a, b)), smaller),
  overload(`${name}(timestamp, timestamp): bool`, (a: Timestamp, b: Timestamp) =>
    holds(compare(a.nanoseconds, b.nanoseconds)),
  ),
  overload(`${name}(duration, duration): bool`, (a: Duration, b: Duration) =>
    holds(compare(a.nanoseconds, b.nanoseconds)),
  ),
])

const logic: Overload[] = [
  overload('_&&_(bool, bool): bool', (a: boolean, b: boolean) => a && b),
  overload('_||_(bool, bool): bool', (a: boolean, b: boolean) => a || b),
  overload('!_(bool): bool', (a: boolean) => !a),
  overload('@not_strictly_false(bool): bool', (a: boolean) => a),
  overload('_?_:_(bool, A, A): A', (a: boolean, b: Value, c: Value) => (a ? b : c)),
  overload('_==_(A, A): bool', (a: Value, b: Value) => equal(a, b), smaller),
  overload('_!=_(A, A): bool', (a: Value, b: Value) => !equal(a, b), smaller),
]

const collections: Overload[] = [
  overload(
    '@in(A, list(A)): bool',
    (item: Value, list: CelList) => list.items.some(other => equal(item, other)),
    args => sizeOf(args[1]!),
  ),
  overload('@in(A, map(A, B)): bool', (key: Value, map: CelMap | CelObject) => lookUp(map, key) !== undefined),
  overload('_[_](list(A), int): A', entryAt),
  overload('_[_](map(A, B), A): B', entryAt),
  overload('cel.@mapInsert(map(A, B), A, B): map(A, B)', (map: CelMap) => map),
  overload('cel.@mapInsert(map(A, B), map(A, B)): map(A, B)', (map: CelMap) => map),
  ...['string', 'bytes', 'list(A)', 'map(A, B)'].flatMap(type => [
    overload(`size(${type}): int`, (value: Value) => BigInt(sizeOf(value))),
    overload(`${type}::size(): int`, (value: Value) => BigInt(sizeOf(value))),
  ]),
]

function unconvertible(type: string): never {
  throw new EvaluationError(`type conversion error from 'string' to '${type}'`)
}

function toInt(value: bigint | number): bigint {
  if (typeof value === 'bigint') return checkedInt(value)
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) throw new EvaluationError('integer overflow')
  return BigInt(Math.trunc(value))
}

function intOfText(text: string): bigint {
  const value = /^[+-]?\d+$/.test(text) ? BigInt(text.replace(/^\+/, '')) : undefined
  return value !== undefined && BigInt.asIntN(64, value) === value ? value : unconvertible('int')
}

function doubleOfText(text: string): number {
  const special: Readonly<Record<string, number>> = {
    inf: Infinity,
    '+inf': Infinity,
    '-inf': -Infinity,
    infinity: Infinity,
    nan: Number.NaN,
  }
  const known = special[text.toLowerCase()]
  if (known !== undefined) return known
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) unconvertible('double')
  return Number(text)
}

/** As Go prints doubles with %g. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const size = Math.abs(value)
  if (value !== 0 && (size < 1e-4 || size >= 1e21)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  return `${value}`
}

function boolOfText(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
  return unconvertible('bool')
}

function textOf(value: Uint8Array): string {
  const text = decodeUtf8(value)
  if (compareBytes(encodeUtf8(text), value) !== 0)
    throw new EvaluationError('invalid UTF-8 in bytes, cannot convert to string')
  return text
}

function durationOf(text: string): Duration {
  return parseDuration(text) ?? unconvertible('google.protobuf.Duration')
}

function timestampOf(text: string): Timestamp {
  const { nanoseconds } = parseTimestamp(text) ?? unconvertible('google.protobuf.Timestamp')
  return checkedTimestamp(nanoseconds)
}

const seconds = 1_000_000_000n
const conversions: Overload[] = [
  overload('dyn(A): dyn', (value: Value) => value),
  overload('type(A): type(A)', (value: Value) => new TypeValue(typeNameOf(value))),
  overload('int(int): int', (value: bigint) => value),
  overload('int(uint): int', (value: UnsignedInteger) => checkedInt(value.value)),
  overload('int(double): int', (value: number) => toInt(value)),
  overload('int(string): int', (value: string) => intOfText(value)),
  overload('int(timestamp): int', (value: Timestamp) => value.nanoseconds / seconds),
  overload('int(duration): int', (value: Duration) => value.nanoseconds),
  overload('uint(uint): uint', (value: UnsignedInteger) => value),
  overload('uint(int): uint', (value: bigint) => checkedUint(value)),
  overload('uint(double): uint', (value: number) => {
    if (!(value >= 0 && value < 2 ** 64)) throw new EvaluationError('unsigned integer overflow')
    return checkedUint(BigInt(Math.trunc(value)))
  }),
  overload(
    'uint(string): uint',
    (value: string) =>
      new UnsignedInteger(/^\d+$/.test(value) && BigInt(value) < 1n << 64n ? BigInt(value) : unconvertible('uint')),
  ),
  overload('double(double): double', (value: number) => value),
  overload('double(int): double', (value: bigint) => Number(value)),
  overload('double(uint): double', (value: UnsignedInteger) => Number(value.value)),
  overload('double(string): double', (value: string) => doubleOfText(value)),
  overload('bool(bool): bool', (value: boolean) => value),
  overload('bool(string): bool', (value: string) => boolOfText(value)),
  overload('string(string): string', (value: string) => value),
  overload('string(bool): string', (value: boolean) => `${value}`),
  overload('string(int): string', (value: bigint) => `${value}`),
  overload('string(uint): string', (value: UnsignedInteger) => `${value.value}`),
  overload('string(double): string', (value: number) => formatDouble(value)),
  overload('string(bytes): string', (value: Uint8Array) => textOf(value), traversal(0)),
  overload('string(timestamp): string', (value: Timestamp) => formatTimestamp(value)),
  overload('string(duration): string', (value: Duration) => formatDuration(value)),
  overload('bytes(bytes): bytes', (value: Uint8Array) => value),
  overload('bytes(string): bytes', (value: string) => encodeUtf8(value), traversal(0)),
  overload('duration(duration): duration', (value: Duration) => value),
  overload('duration(string): duration', (value: string) => durationOf(value)),
  overload('duration(int): duration', (value: bigint) => checkedDuration(value)),
  overload('timestamp(timestamp): timestamp', (value: Timestamp) => value),
  overload('timestamp(string): timestamp', (value: string) => timestampOf(value)),
  overload('timestamp(int): timestamp', (value: bigint) => checkedTimestamp(value * seconds)),
]

const texts: Overload[] = [
  overload(
    'string::contains(string): bool',
    (text: string, part: string) => text.includes(part),
    args => traversal(0)(args) * traversal(1)(args),
  ),
  overload('string::startsWith(string): bool', (text: string, part: string) => text.startsWith(part), traversal(0)),
  overload('string::endsWith(string): bool', (text: string, part: string) => text.endsWith(part), traversal(0)),
  overload(
    'string::matches(string): bool',
    (text: string, pattern: string) => compilePattern(pattern).test(text),
    patternCost,
  ),
  overload(
    'matches(string, string): bool',
    (text: string, pattern: string) => compilePattern(pattern).test(text),
    patternCost,
  ),
]

const parts: Readonly<Record<string, TimePart>> = {
  getFullYear: 'year',
  getMonth: 'month',
  getDayOfWeek: 'dayOfWeek',
  getDayOfYear: 'dayOfYear',
  getHours: 'hours',
  getMinutes: 'minutes',
  getSeconds: 'seconds',
  getMilliseconds: 'milliseconds',
}
const times: Overload[] = [
  ...Object.entries(parts).flatMap(([name, part]) => [
    overload(`timestamp::${name}(): int`, (time: Timestamp) => partOfTime(time, part, undefined)),
    overload(`timestamp::${name}(string): int`, (time: Timestamp, zone: string) => partOfTime(time, part, zone)),
  ]),
  overload('timestamp::getDate(): int', (time: Timestamp) => partOfTime(time, 'dayOfMonth', undefined)),
  overload('timestamp::getDate(string): int', (time: Timestamp, zone: string) => partOfTime(time, 'dayOfMonth', zone)),
  overload('timestamp::getDayOfMonth(): int', (time: Timestamp) => partOfTime(time, 'dayOfMonth', undefined) - 1n),
  overload(
    'timestamp::getDayOfMonth(string): int',
    (time: Timestamp, zone: string) => partOfTime(time, 'dayOfMonth', zone) - 1n,
  ),
  overload('duration::getHours(): int', ({ nanoseconds }: Duration) => nanoseconds / (3600n * seconds)),
  overload('duration::getMinutes(): int', ({ nanoseconds }: Duration) => nanoseconds / (60n * seconds)),
  overload('duration::getSeconds(): int', ({ nanoseconds }: Duration) => nanoseconds / seconds),
  overload('duration::getMilliseconds(): int', ({ nanoseconds }: Duration) => (nanoseconds / 1_000_000n) % 1000n),
]

export const standardFunctions: readonly Overload[] = [
  ...logic,
  ...arithmetic,
  ...comparisons,
  ...collections,
  ...conversions,
  ...texts,
  ...times,
]
