// The strings extension, version 2. Positions count code points.
import { decodeUtf8, encodeUtf8 } from '../../../lib/text.ts'
import { EvaluationError } from '../cel-error.ts'
import { overload, type Overload } from '../functions.ts'
import {
  CelList,
  CelMap,
  CelObject,
  Duration,
  mapEntries,
  sizeOf,
  Timestamp,
  TypeValue,
  typeNameOf,
  UnsignedInteger,
  type Value,
} from '../values.ts'
import { visit } from '../work.ts'
import { compareTexts, formatDouble, traversal } from './standard.ts'
import { formatDuration, formatTimestamp } from './time.ts'

/** Reading the text and writing the longest result that replacing can give. */
function replaceCost(args: readonly Value[]): number {
  const [text = 0, old = 0, by = 0] = args.slice(0, 3).map(sizeOf)
  const longest = old === 0 ? (text + 1) * by + text : Math.max(text, Math.ceil(text / old) * by)
  return Math.max(traversal(0, 2)(args), Math.ceil(longest * 0.1))
}

/** What joining or formatting writes is as long as what it is given, so it is paid for before. */
function textCost(factor: number) {
  return (args: readonly Value[]): number => {
    const [separator, items] = args[0] instanceof CelList ? [args[1] ?? '', args[0]] : [args[0]!, args[1] as CelList]
    const length = items.items.reduce<number>(
      (sum, item) => sum + lengthOf(item),
      sizeOf(separator) * Math.max(1, args[0] instanceof CelList ? items.items.length - 1 : 1),
    )
    return Math.ceil(length * factor)
  }
}

function lengthOf(value: Value): number {
  visit()
  if (value instanceof CelList) return value.items.reduce<number>((sum, item) => sum + lengthOf(item) + 2, 2)
  if (value instanceof CelMap || value instanceof CelObject)
    return [...mapEntries(value)].reduce((sum, entry) => sum + lengthOf(entry.key) + lengthOf(entry.value) + 4, 2)
  return sizeOf(value)
}

function charAt(text: string, index: bigint): string {
  const characters = Array.from(text)
  if (index < 0n || index > BigInt(characters.length)) throw new EvaluationError(`index out of range: ${index}`)
  return characters[Number(index)] ?? ''
}

function substring(text: string, from: bigint, to?: bigint): string {
  const characters = Array.from(text)
  const end = to ?? BigInt(characters.length)
  if (from < 0n || from > BigInt(characters.length)) throw new EvaluationError(`index out of range: ${from}`)
  if (end < 0n || end > BigInt(characters.length)) throw new EvaluationError(`index out of range: ${end}`)
  if (from > end) throw new EvaluationError(`invalid substring range. start: ${from}, end: ${end}`)
  return characters.slice(Number(from), Number(end)).join('')
}

function indexOf(text: string, part: string, from = 0n): bigint {
  const characters = Array.from(text)
  if (from < 0n || from > BigInt(characters.length)) throw new EvaluationError(`index out of range: ${from}`)
  const start = characters.slice(0, Number(from)).join('').length
  const found = text.indexOf(part, start)
  return found === -1 ? -1n : BigInt(Array.from(text.slice(0, found)).length)
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const characters = Array.from(text)
  if (from !== undefined && (from < 0n || from > BigInt(characters.length)))
    throw new EvaluationError(`index out of range: ${from}`)
  const found = text.lastIndexOf(
    part,
    from === undefined ? undefined : characters.slice(0, Number(from)).join('').length,
  )
  return found === -1 ? -1n : BigInt(Array.from(text.slice(0, found)).length)
}

function replace(text: string, old: string, by: string, count = -1n): string {
  if (count < 0n)
    return old === ''
      ? Array.from(text)
          .map(character => by + character)
          .join('') + by
      : text.split(old).join(by)
  const pieces = old === '' ? ['', ...Array.from(text)] : text.split(old)
  const replaced = Math.min(Number(count), pieces.length - 1 + (old === '' ? 1 : 0))
  if (old === '')
    return (
      Array.from(text)
        .map((character, index) => (index < replaced ? by : '') + character)
        .join('') + (replaced > sizeOf(text) ? by : '')
    )
  return (
    pieces.slice(0, replaced + 1).join(by) +
    pieces
      .slice(replaced + 1)
      .map(piece => old + piece)
      .join('')
  )
}

function split(text: string, separator: string, count = -1n): CelList {
  const pieces = separator === '' ? Array.from(text) : text.split(separator)
  if (count === 0n) return new CelList([])
  if (count < 0n || count >= BigInt(pieces.length)) return new CelList(pieces)
  const kept = Number(count) - 1
  return new CelList([...pieces.slice(0, kept), pieces.slice(kept).join(separator)])
}

function join(list: CelList, separator = ''): string {
  return list.items
    .map(item => {
      if (typeof item !== 'string') throw new EvaluationError(`join: invalid input: ${typeNameOf(item)}`)
      return item
    })
    .join(separator)
}

const lower = (text: string): string => text.replaceAll(/[A-Z]/g, letter => letter.toLowerCase())
const upper = (text: string): string => text.replaceAll(/[a-z]/g, letter => letter.toUpperCase())

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}
const quote = (text: string): string =>
  `"${text.toWellFormed().replaceAll(/["\\\p{Cc}]/gu, character => escapes[character] ?? character)}"`

function format(template: string, { items }: CelList): string {
  let used = 0
  const text = template.replaceAll(
    /%(?:%|(?:\.(\d+))?([a-zA-Z])|)/g,
    (whole, precision: string | undefined, verb: string | undefined) => {
      if (whole === '%%') return '%'
      if (verb === undefined) throw new EvaluationError('could not parse formatting clause: unexpected end of string')
      const argument = items[used]
      if (argument === undefined) throw new EvaluationError(`index ${used} out of range`)
      used++
      return clause(verb, argument, precision === undefined ? 6 : Math.min(Number(precision), 100))
    },
  )
  return text
}

function clause(verb: string, value: Value, precision: number): string {
  const number = value instanceof UnsignedInteger ? value.value : value
  const isInteger = typeof number === 'bigint'
  switch (verb) {
    case 's':
      return shown(value)
    case 'd':
      if (isInteger) return `${number}`
      break
    case 'f':
      if (typeof number === 'number' || isInteger) return fixedPoint(Number(number), precision)
      break
    case 'e':
      if (typeof number === 'number' || isInteger)
        return Number(number)
          .toExponential(precision)
          .replace(/e([+-])(\d)$/, 'e$10$2')
      break
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      if (isInteger) return number.toString(2)
      break
    case 'o':
      if (isInteger) return number.toString(8)
      break
    case 'x':
    case 'X': {
      const text = isInteger
        ? number.toString(16)
        : typeof value === 'string'
          ? hexOf([...encodeUtf8(value)])
          : value instanceof Uint8Array
            ? hexOf([...value])
            : undefined
      if (text !== undefined) return verb === 'x' ? text.toLowerCase() : text.toUpperCase()
      break
    }
    default:
      throw new EvaluationError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
  throw new EvaluationError(
    `error during formatting: no formatting function for %${verb} and type ${typeNameOf(value)}`,
  )
}

const hexOf = (bytes: readonly number[]): string => bytes.map(byte => byte.toString(16).padStart(2, '0')).join('')
const fixedPoint = (value: number, precision: number): string =>
  Number.isFinite(value)
    ? Math.abs(value) < 1e21
      ? value.toFixed(precision)
      : `${BigInt(value)}${precision > 0 ? `.${'0'.repeat(precision)}` : ''}`
    : formatDouble(value)

function shown(value: Value): string {
  visit()
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
    case 'bigint':
      return `${value}`
    case 'number':
      return formatDouble(value)
    default:
      break
  }
  if (value === null) return 'null'
  if (value instanceof UnsignedInteger) return `${value.value}`
  if (value instanceof TypeValue) return value.name
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Uint8Array) return decodeUtf8(value)
  if (value instanceof CelList) return `[${value.items.map(shown).join(', ')}]`
  if (value instanceof CelMap || value instanceof CelObject)
    return `{${[...mapEntries(value)]
      .map(entry => `${shown(entry.key)}: ${shown(entry.value)}`)
      .sort(compareTexts)
      .join(', ')}}`
  throw new EvaluationError(
    `error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ${typeNameOf(value)}`,
  )
}

export const stringFunctions: readonly Overload[] = [
  overload('string::charAt(int): string', charAt, traversal(0)),
  overload('string::substring(int): string', (text: string, from: bigint) => substring(text, from), traversal(0)),
  overload(
    'string::substring(int, int): string',
    (text: string, from: bigint, to: bigint) => substring(text, from, to),
    traversal(0),
  ),
  overload('string::indexOf(string): int', (text: string, part: string) => indexOf(text, part), traversal(0)),
  overload(
    'string::indexOf(string, int): int',
    (text: string, part: string, from: bigint) => indexOf(text, part, from),
    traversal(0),
  ),
  overload('string::lastIndexOf(string): int', (text: string, part: string) => lastIndexOf(text, part), traversal(0)),
  overload(
    'string::lastIndexOf(string, int): int',
    (text: string, part: string, from: bigint) => lastIndexOf(text, part, from),
    traversal(0),
  ),
  overload('string::lowerAscii(): string', lower, traversal(0)),
  overload('string::upperAscii(): string', upper, traversal(0)),
  overload('string::trim(): string', (text: string) => text.trim(), traversal(0)),
  overload(
    'string::replace(string, string): string',
    (text: string, old: string, by: string) => replace(text, old, by),
    replaceCost,
  ),
  overload(
    'string::replace(string, string, int): string',
    (text: string, old: string, by: string, count: bigint) => replace(text, old, by, count),
    replaceCost,
  ),
  overload(
    'string::split(string): list(string)',
    (text: string, separator: string) => split(text, separator),
    traversal(0, 2),
  ),
  overload(
    'string::split(string, int): list(string)',
    (text: string, separator: string, count: bigint) => split(text, separator, count),
    traversal(0, 2),
  ),
  overload('list(string)::join(): string', (list: CelList) => join(list), textCost(0.2)),
  overload(
    'list(string)::join(string): string',
    (list: CelList, separator: string) => join(list, separator),
    textCost(0.2),
  ),
  overload('string::format(list(dyn)): string', format, textCost(0.1)),
  overload('strings.quote(string): string', quote, traversal(0)),
]
