// The tree that the parser makes. Macros are already expanded: `all`, `map` and their like are
// comprehensions, `has` is a selection that only tests. Operators are calls (`_==_`, `_&&_`), named as in
// the CEL specification.
import type { UnsignedInteger } from './values.ts'

export type LiteralValue = null | boolean | bigint | number | string | Uint8Array | UnsignedInteger

interface Positioned {
  /** Where errors about the node point to. */
  readonly offset: number
}

export interface Literal extends Positioned {
  readonly kind: 'literal'
  readonly value: LiteralValue
}
export interface Identifier extends Positioned {
  readonly kind: 'identifier'
  readonly name: string
}
export interface Select extends Positioned {
  readonly kind: 'select'
  readonly operand: Expression
  readonly field: string
  readonly testOnly: boolean
}
export interface Call extends Positioned {
  readonly kind: 'call'
  readonly name: string
  readonly target: Expression | undefined
  readonly args: readonly Expression[]
}
export interface ListLiteral extends Positioned {
  readonly kind: 'list'
  readonly elements: readonly { readonly value: Expression; readonly optional: boolean }[]
}
export interface MapLiteral extends Positioned {
  readonly kind: 'map'
  readonly entries: readonly { readonly key: Expression; readonly value: Expression; readonly optional: boolean }[]
}
export interface StructLiteral extends Positioned {
  readonly kind: 'struct'
  readonly typeName: string
  readonly fields: readonly {
    readonly name: string
    readonly value: Expression
    readonly optional: boolean
    readonly offset: number
  }[]
}

/** `accumulator = initial; for (iteration in range) { if (!condition) break; accumulator = step }; return result` */
export interface Comprehension extends Positioned {
  readonly kind: 'comprehension'
  readonly range: Expression
  /** The element or key; with a second variable, the index or key. */
  readonly variable: string
  /** The element or value. */
  readonly secondVariable: string | undefined
  readonly accumulator: string
  readonly initial: Expression
  readonly condition: Expression
  readonly step: Expression
  readonly result: Expression
}

export type Expression = Literal | Identifier | Select | Call | ListLiteral | MapLiteral | StructLiteral | Comprehension

/** The accumulator of macros; users cannot write it. */
export const accumulatorName = '@result'
