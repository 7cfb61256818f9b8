// Whole numbers of 64 bits, in text, as annotations and labels hold them, and as values of fields: numbers of
// JavaScript would round them.

/** A number where that is exact, else a bigint: equal values are `===`. Comparisons take both, arithmetic does not. */
export type Int64 = number | bigint

/** Of the signed ones. */
export const largestInt64 = (1n << 63n) - 1n

export const fitsInt64 = (value: bigint): boolean => value <= largestInt64 && value >= -largestInt64 - 1n

/** `5`, `-5`, `+5`; undefined when the text is no such number, or when 64 bits do not hold it. */
export function parseInt64(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return fitsInt64(value) ? value : undefined
}

/** For sorting: negative when `a` is the smaller one. */
export const compareInt64 = (a: Int64, b: Int64): number => (a < b ? -1 : a > b ? 1 : 0)

export const isNumber = (value: unknown): value is Int64 => typeof value === 'number' || typeof value === 'bigint'

/** Rounded where 64 bits are too few. */
export function exactInteger(value: bigint): Int64 {
  const rounded = Number(value)
  return Number.isSafeInteger(rounded) || !fitsInt64(value) ? rounded : value
}
