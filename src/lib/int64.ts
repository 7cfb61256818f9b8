// Whole numbers of 64 bits in text, as annotations and labels hold them: numbers of JavaScript would round them.

const largest = (1n << 63n) - 1n

/** `5`, `-5`, `+5`; undefined when the text is no such number, or when 64 bits do not hold it. */
export function parseInt64(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?\d+$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return value > largest || value < -largest - 1n ? undefined : value
}

/** For sorting: negative when `a` is the smaller one. */
export const compareInt64 = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
