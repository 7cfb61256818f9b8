// What a function is: overloads with a signature, an implementation, and a cost where it is not 1. Libraries
// write signatures as text: `string::contains(string): bool` is a method, `size(list(A)): int` is global.
import { parseType, splitList, type CelType } from './types.ts'
import type { Value } from './values.ts'

export interface Overload {
  readonly name: string
  readonly isMethod: boolean
  /** The receiver of a method first. */
  readonly parameters: readonly CelType[]
  readonly result: CelType
  /** Throws EvaluationError. */
  readonly call: (...args: Value[]) => Value
  /** In cost units, for these arguments; 1 when absent. */
  readonly cost: ((args: readonly Value[], result: Value) => number) | undefined
}

type Cost = Overload['cost']

/** Arguments have the types of the signature when the implementation is called. */
export function overload<Args extends readonly Value[]>(
  signature: string,
  call: (...args: Args) => Value,
  cost?: Cost,
): Overload {
  const [, receiver, name, parameters, result] = /^(?:(.+)::)?([^(]+)\((.*)\): (.+)$/.exec(signature)!
  return {
    name: name!,
    isMethod: receiver !== undefined,
    parameters: [...(receiver === undefined ? [] : [receiver]), ...splitList(parameters!)].map(parseType),
    result: parseType(result!),
    call: call as unknown as Overload['call'],
    cost,
  }
}

/** A nominal cost, whatever the arguments. */
export const fixed =
  (cost: number): Cost =>
  () =>
    cost
