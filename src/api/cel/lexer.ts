// Source text to tokens, by the lexical grammar of the CEL specification.
import { encodeUtf8 } from '../../lib/text.ts'
import type { Issue } from './cel-error.ts'
import type { LiteralValue } from './syntax.ts'
import { UnsignedInteger } from './values.ts'

export type TokenKind = 'identifier' | 'quoted' | 'literal' | 'symbol' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written; `<EOF>` for the end. */
  readonly text: string
  readonly offset: number
  readonly value?: LiteralValue
}

const symbol = /==|!=|<=|>=|&&|\|\||[<>()[\]{}.,:?+\-*/%!]/y
const space = /(?:[ \t\r\n\f]|\/\/[^\n]*)+/y
const number = /0x[0-9a-fA-F]+u?|(?:\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)|\d+[uU]?/y
const word = /[A-Za-z_][A-Za-z0-9_]*/y
const quotedName = /`[A-Za-z0-9_.\-/ ]+`/y
const text =
  /([rR][bB]?|[bB][rR]?)?("""[^]*?(?:(?<!\\)(?:\\\\)*""")|'''[^]*?(?:(?<!\\)(?:\\\\)*''')|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')/y
const rawText = /([rR][bB]?|[bB][rR])("""[^]*?"""|'''[^]*?'''|"[^"\n\r]*"|'[^'\n\r]*')/y

/** Reads everything; characters that belong nowhere become issues and are left out. */
export function tokensOf(source: string, issues: Issue[]): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < source.length;) {
    const blank = match(space, source, at)
    if (blank !== undefined) {
      at += blank.length
      continue
    }
    const token = tokenAt(source, at, issues)
    if (token === undefined) {
      const character = String.fromCodePoint(source.codePointAt(at)!)
      issues.push({ offset: at, message: `Syntax error: token recognition error at: '${character}'` })
      at += character.length
    } else {
      tokens.push(token)
      at += token.text.length
    }
  }
  tokens.push({ kind: 'end', text: '<EOF>', offset: source.length })
  return tokens
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(source)?.[0]
}

function tokenAt(source: string, offset: number, issues: Issue[]): Token | undefined {
  const quoted = match(rawText, source, offset) ?? match(text, source, offset)
  if (quoted !== undefined) return { kind: 'literal', text: quoted, offset, value: textValue(quoted, offset, issues) }
  const digits = match(number, source, offset)
  if (digits !== undefined) return { kind: 'literal', text: digits, offset, value: numberValue(digits, offset, issues) }
  const name = match(word, source, offset)
  if (name !== undefined) return { kind: name === 'in' ? 'symbol' : 'identifier', text: name, offset }
  const escaped = match(quotedName, source, offset)
  if (escaped !== undefined) return { kind: 'quoted', text: escaped, offset }
  const operator = match(symbol, source, offset)
  return operator === undefined ? undefined : { kind: 'symbol', text: operator, offset }
}

function numberValue(digits: string, offset: number, issues: Issue[]): LiteralValue {
  const isHexadecimal = digits.startsWith('0x')
  if (/u$/i.test(digits)) {
    const value = BigInt(digits.slice(0, -1))
    if (value < 1n << 64n) return new UnsignedInteger(value)
    issues.push({ offset, message: 'invalid uint literal' })
    return new UnsignedInteger(0n)
  }
  if (isHexadecimal || /^\d+$/.test(digits)) return BigInt(digits)
  const value = Number(digits)
  if (!Number.isFinite(value)) issues.push({ offset, message: 'invalid double literal' })
  return value
}

function textValue(token: string, offset: number, issues: Issue[]): LiteralValue {
  const prefix = /^[rRbB]*/.exec(token)![0].toLowerCase()
  const quoted = token.slice(prefix.length)
  const quote = quoted.startsWith('"""') || quoted.startsWith("'''") ? 3 : 1
  const body = quoted.slice(quote, -quote).replaceAll(/\r\n?/g, '\n')
  const isBytes = prefix.includes('b')
  try {
    if (prefix.includes('r')) return isBytes ? encodeUtf8(body) : body
    return isBytes ? unescapeBytes(body) : unescapeText(body)
  } catch (error) {
    issues.push({ offset, message: (error as Error).message })
    return ''
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
}
const escape = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([^]))/g

function unescapeText(body: string): string {
  return body.replaceAll(
    escape,
    (
      _whole,
      byte: string | undefined,
      short: string | undefined,
      long: string | undefined,
      octal: string | undefined,
      simple: string | undefined,
    ) => {
      const code = octal === undefined ? Number.parseInt(byte ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8)
      if (simple === undefined) return codePoint(code)
      return simpleEscapes[simple] ?? refuse()
    },
  )
}

function unescapeBytes(body: string): Uint8Array {
  const bytes: number[] = []
  let rest = 0
  for (const found of body.matchAll(escape)) {
    const [whole, byte, short, long, octal, simple] = found
    bytes.push(...encodeUtf8(body.slice(rest, found.index)))
    rest = found.index + whole.length
    if (short !== undefined || long !== undefined) refuse()
    else if (simple === undefined)
      bytes.push(octal === undefined ? Number.parseInt(byte!, 16) : Number.parseInt(octal, 8))
    else bytes.push(...encodeUtf8(simpleEscapes[simple] ?? refuse()))
  }
  return Uint8Array.from([...bytes, ...encodeUtf8(body.slice(rest))])
}

function codePoint(code: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return refuse()
  return String.fromCodePoint(code)
}

function refuse(): never {
  throw new SyntaxError('Syntax error: unable to unescape string')
}
