// Values that may be absent.
import { EvaluationError } from '../cel-error.ts'
import { overload, type Overload } from '../functions.ts'
import { CelList, Optional, sizeOf, UnsignedInteger, type Value } from '../values.ts'

function presentValue({ value }: Optional): Value {
  if (value === undefined) throw new EvaluationError('optional.none() dereference')
  return value
}

const isZero = (value: Value): boolean =>
  value === null ||
  value === false ||
  value === 0n ||
  value === 0 ||
  (value instanceof UnsignedInteger && value.value === 0n) ||
  (typeof value === 'object' && !(value instanceof UnsignedInteger) && sizeOf(value) === 0) ||
  value === ''

export const optionalFunctions: readonly Overload[] = [
  overload('optional.of(V): optional(V)', (value: Value) => new Optional(value)),
  overload('optional.none(): optional(V)', () => Optional.none),
  overload('optional.ofNonZeroValue(V): optional(V)', (value: Value) =>
    isZero(value) ? Optional.none : new Optional(value),
  ),
  overload('optional.unwrap(list(optional(V))): list(V)', (list: CelList) => unwrapped(list)),
  overload('list(optional(V))::unwrapOpt(): list(V)', (list: CelList) => unwrapped(list)),
  overload('list(V)::first(): optional(V)', ({ items }: CelList) => edgeOf(items, 0)),
  overload('list(V)::last(): optional(V)', ({ items }: CelList) => edgeOf(items, -1)),
  overload('optional(V)::hasValue(): bool', ({ value }: Optional) => value !== undefined),
  overload('optional(V)::value(): V', (optional: Optional) => presentValue(optional)),
  overload('optional(V)::or(optional(V)): optional(V)', (optional: Optional, other: Optional) =>
    optional.value === undefined ? other : optional,
  ),
  overload('optional(V)::orValue(V): V', (optional: Optional, other: Value) => optional.value ?? other),
  // For their types: a program looks parts up itself.
  overload('_[_](optional(list(V)), int): optional(V)', (optional: Optional) => optional),
  overload('_[_](optional(map(K, V)), K): optional(V)', (optional: Optional) => optional),
]

const edgeOf = (items: readonly Value[], index: 0 | -1): Optional =>
  items.length === 0 ? Optional.none : new Optional(items.at(index)!)

function unwrapped(list: CelList): CelList {
  return new CelList(
    list.items.flatMap(item => (item instanceof Optional && item.value !== undefined ? [item.value] : [])),
  )
}
