// Lists: the library of Kubernetes (isSorted, sum, min, max, indexOf), the lists extension, and sets.
import { EvaluationError } from '../cel-error.ts'
import { overload, type Overload } from '../functions.ts'
import {
  CelList,
  CelMap,
  CelObject,
  checkedInt,
  checkedUint,
  Duration,
  equal,
  mapEntries,
  sizeOf,
  Timestamp,
  typeNameOf,
  UnsignedInteger,
  type Value,
} from '../values.ts'
import { visit } from '../work.ts'
import { compareBytes, compareTexts } from './standard.ts'
import { checkedDuration } from './time.ts'

/** The cost of looking at the whole value, as Kubernetes counts it. */
function wholeCost(value: Value): number {
  visit()
  if (typeof value === 'string') return Math.floor(value.length * 0.1)
  if (value instanceof Uint8Array) return Math.floor(value.length * 0.1)
  if (value instanceof CelList) return value.items.reduce<number>((sum, item) => sum + wholeCost(item), 0)
  if (value instanceof CelMap || value instanceof CelObject)
    return [...mapEntries(value)].reduce((sum, entry) => sum + wholeCost(entry.key) + wholeCost(entry.value), 0)
  return 1
}

const traverse = ([list]: readonly Value[]): number => wholeCost(list!)
/** What calls of the lists extension cost: that of the call and of the list they make, and something for each part. */
const allocating = (parts: number): number => Math.floor(parts) + 11
const made = (_args: readonly Value[], result: Value): number =>
  allocating(result instanceof CelList ? sizeOf(result) : 0)
const ranged = ([count]: readonly Value[]): number => allocating(Math.max(0, Number(count)))
const flattened = ([list, depth = 1n]: readonly Value[]): number =>
  allocating(sizeOf(list!) * Math.max(0, Number(depth)))

/** Each of the list's elements is compared with each. */
function selfCompared(list: Value): number {
  const [first] = (list as CelList).items
  return allocating(sizeOf(list) ** 2 * (typeof first === 'string' || first instanceof Uint8Array ? 2.1 : 2))
}

const compared = ([list]: readonly Value[]): number => selfCompared(list!)
const comparedKeys = ([, keys]: readonly Value[]): number => selfCompared(keys!)
const setCost =
  (factor: number) =>
  ([a, b]: readonly Value[]): number =>
    1 + sizeOf(a!) * sizeOf(b!) * factor

/** Negative, zero or positive; throws where values have no order. */
function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b)
  const [left, right] = [orderOf(a), orderOf(b)]
  if (left === undefined || right === undefined || (typeof left === 'boolean') !== (typeof right === 'boolean'))
    throw new EvaluationError('no such overload')
  return left < right ? -1 : left > right ? 1 : 0
}

function orderOf(value: Value): bigint | number | boolean | undefined {
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return value
  if (value instanceof UnsignedInteger) return value.value
  return value instanceof Duration || value instanceof Timestamp ? value.nanoseconds : undefined
}

const isSorted = ({ items }: CelList): boolean =>
  items.every((item, index) => index === 0 || compareValues(items[index - 1]!, item) <= 0)

function extreme({ items }: CelList, name: 'min' | 'max'): Value {
  if (items.length === 0) throw new EvaluationError(`${name} called on empty list`)
  const sign = name === 'min' ? 1 : -1
  return items.reduce((best, item) => (compareValues(item, best) * sign < 0 ? item : best))
}

function sum({ items }: CelList, zero: Value): Value {
  return items.reduce((total, item) => {
    if (typeof total === 'bigint' && typeof item === 'bigint') return checkedInt(total + item)
    if (typeof total === 'number' && typeof item === 'number') return total + item
    if (total instanceof UnsignedInteger && item instanceof UnsignedInteger)
      return checkedUint(total.value + item.value)
    if (total instanceof Duration && item instanceof Duration)
      return checkedDuration(total.nanoseconds + item.nanoseconds)
    if (total === zero && zero === 0n) return item
    throw new EvaluationError('no such overload')
  }, zero)
}

const comparable = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes']
const zeros: readonly (readonly [string, Value])[] = [
  ['int', 0n],
  ['uint', new UnsignedInteger(0n)],
  ['double', 0],
  ['duration', new Duration(0n)],
]

const kubernetesLists: Overload[] = [
  ...comparable.flatMap(type => [
    overload(`list(${type})::isSorted(): bool`, isSorted, traverse),
    overload(`list(${type})::min(): ${type}`, (list: CelList) => extreme(list, 'min'), traverse),
    overload(`list(${type})::max(): ${type}`, (list: CelList) => extreme(list, 'max'), traverse),
  ]),
  ...zeros.map(([type, zero]) =>
    overload(`list(${type})::sum(): ${type}`, (list: CelList) => sum(list, zero), traverse),
  ),
  overload(
    'list(T)::indexOf(T): int',
    ({ items }: CelList, item: Value) => BigInt(items.findIndex(other => equal(item, other))),
    traverse,
  ),
  overload(
    'list(T)::lastIndexOf(T): int',
    ({ items }: CelList, item: Value) => BigInt(items.findLastIndex(other => equal(item, other))),
    traverse,
  ),
]

function slice({ items }: CelList, from: bigint, to: bigint): CelList {
  if (from < 0n || to < 0n) throw new EvaluationError(`cannot slice(${from}, ${to}), negative indexes not supported`)
  if (from > to)
    throw new EvaluationError(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`)
  if (to > BigInt(items.length))
    throw new EvaluationError(`cannot slice(${from}, ${to}), list is length ${items.length}`)
  return new CelList(items.slice(Number(from), Number(to)))
}

function flatten({ items }: CelList, depth: bigint): CelList {
  if (depth < 0n) throw new EvaluationError('level must be non-negative')
  const flat = (list: readonly Value[], left: bigint): Value[] =>
    list.flatMap(item => (visit(), item instanceof CelList && left > 0n ? flat(item.items, left - 1n) : [item]))
  return new CelList(flat(items, depth > 100n ? 100n : depth))
}

const longestRange = 1_000_000n

function range(count: bigint): CelList {
  if (count > longestRange) throw new EvaluationError(`range size exceeds limit: ${count}`)
  return new CelList(Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index)))
}

const distinct = ({ items }: CelList): CelList =>
  new CelList(items.filter((item, index) => items.findIndex(other => equal(other, item)) === index))

function sortByKeys({ items }: CelList, keys: CelList): CelList {
  const order = items.map((_, index) => index).sort((a, b) => compareValues(keys.items[a]!, keys.items[b]!) || a - b)
  const kinds = new Set(keys.items.map(typeNameOf))
  if (kinds.size > 1) throw new EvaluationError('list elements must have the same type')
  return new CelList(order.map(index => items[index]!))
}

const extension: Overload[] = [
  overload('list(T)::slice(int, int): list(T)', slice, made),
  overload('list(list(T))::flatten(): list(T)', (list: CelList) => flatten(list, 1n), flattened),
  overload('list(dyn)::flatten(int): list(dyn)', flatten, flattened),
  overload('lists.range(int): list(int)', range, ranged),
  overload('list(T)::distinct(): list(T)', distinct, compared),
  overload('list(T)::reverse(): list(T)', ({ items }: CelList) => new CelList(items.toReversed()), made),
  ...comparable.map(type =>
    overload(`list(${type})::sort(): list(${type})`, (list: CelList) => sortByKeys(list, list), compared),
  ),
  ...comparable.map(type =>
    overload(`list(T)::@sortByAssociatedKeys(list(${type})): list(T)`, sortByKeys, comparedKeys),
  ),
]

const includes = (list: CelList, item: Value): boolean => list.items.some(other => equal(other, item))

const sets: Overload[] = [
  overload(
    'sets.contains(list(T), list(T)): bool',
    (all: CelList, some: CelList) => some.items.every(item => includes(all, item)),
    setCost(1),
  ),
  overload(
    'sets.intersects(list(T), list(T)): bool',
    (a: CelList, b: CelList) => a.items.some(item => includes(b, item)),
    setCost(1),
  ),
  overload(
    'sets.equivalent(list(T), list(T)): bool',
    (a: CelList, b: CelList) => a.items.every(item => includes(b, item)) && b.items.every(item => includes(a, item)),
    setCost(2),
  ),
]

export const listFunctions: readonly Overload[] = [...kubernetesLists, ...extension, ...sets]
