// JSON in which whole numbers keep all of their 64 bits (see `Int64`). What is larger, or has a fraction or an
// exponent, is a number, as Go makes a float64 of it. `JSON.stringify` writes bigints as plain digits once this
// module is loaded.
import { exactInteger } from './int64.ts'

/** What newer engines have beyond TypeScript's declarations. */
const engine = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}

// oxlint-disable-next-line no-extend-native -- whoever writes objects as JSON, in libraries too, would fail at the first one
Object.defineProperty(BigInt.prototype, 'toJSON', {
  value(this: bigint) {
    return engine.rawJSON(String(this))
  },
  configurable: true,
  writable: true,
})

const shortest = 16
/** A number, not digits within a string: those are not followed by what ends a value, or nearly never. */
const longNumber = /[:[,\s]-?\d{16,}\s*[\],}]/

/** @throws SyntaxError as JSON.parse does */
export function parseExactJson(text: string): unknown {
  return hasManyDigits(text) && longNumber.test(text) ? engine.parse(text, keepDigits) : JSON.parse(text)
}

/** Sixteen digits in a row: only every sixteenth character is looked at, since nearly no text has them. */
function hasManyDigits(text: string): boolean {
  for (let at = shortest - 1; at < text.length; at += shortest) {
    if (!isDigit(text, at)) continue
    let [start, end] = [at, at + 1]
    while (isDigit(text, start - 1)) start--
    while (isDigit(text, end)) end++
    if (end - start >= shortest) return true
  }
  return false
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

const keepDigits = (_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
    ? exactInteger(BigInt(source))
    : value
