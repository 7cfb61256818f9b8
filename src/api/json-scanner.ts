// A second look at JSON text that JSON.parse cannot give: which keys an object has twice (for strict
// field validation), and, where the text is malformed, the sentence Go's decoder would say about it.

export interface ScanResult {
  /** Paths such as `spec.hostname`. */
  readonly duplicates: string[]
  /** Go's message when the text is not JSON. */
  readonly error: string | undefined
}

class Malformed extends Error {}

const whitespace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** Go's %q of a single character. */
function quoteCharacter(character: string): string {
  if (character === "'") return String.raw`'\''`
  if (character === '"') return `'"'`
  const text = JSON.stringify(character)
  return `'${text.slice(1, -1)}'`
}

class Scanner {
  readonly duplicates: string[] = []
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  run(): void {
    this.value('')
    this.space()
    if (this.at < this.text.length) throw this.unexpected('after top-level value')
  }

  private unexpected(where: string): Malformed {
    if (this.at >= this.text.length) return new Malformed('unexpected end of JSON input')
    return new Malformed(
      `invalid character ${quoteCharacter(String.fromCodePoint(this.text.codePointAt(this.at)!))} ${where}`,
    )
  }

  private space(): void {
    while (whitespace(this.text.charCodeAt(this.at))) this.at++
  }

  private value(path: string): void {
    this.space()
    const character = this.text[this.at]
    if (character === '{') this.object(path)
    else if (character === '[') this.array(path)
    else if (character === '"') this.string()
    else if (character === 't') this.literal('true')
    else if (character === 'f') this.literal('false')
    else if (character === 'n') this.literal('null')
    else this.number()
  }

  private object(path: string): void {
    const keys = new Set<string>()
    this.at++
    this.space()
    if (this.text[this.at] === '}') {
      this.at++
      return
    }
    for (;;) {
      this.space()
      if (this.text[this.at] !== '"') throw this.unexpected('looking for beginning of object key string')
      const key = this.string()
      const inner = path === '' ? key : `${path}.${key}`
      if (keys.has(key)) this.duplicates.push(inner)
      keys.add(key)
      this.space()
      if (this.text[this.at] !== ':') throw this.unexpected('after object key')
      this.at++
      this.value(inner)
      this.space()
      if (this.text[this.at] === '}') break
      if (this.text[this.at] !== ',') throw this.unexpected('after object key:value pair')
      this.at++
    }
    this.at++
  }

  private array(path: string): void {
    this.at++
    this.space()
    if (this.text[this.at] === ']') {
      this.at++
      return
    }
    for (let index = 0; ; index++) {
      this.value(`${path}[${index}]`)
      this.space()
      if (this.text[this.at] === ']') break
      if (this.text[this.at] !== ',') throw this.unexpected('after array element')
      this.at++
    }
    this.at++
  }

  private string(): string {
    const start = this.at++
    let plain = true
    for (; ; this.at++) {
      const code = this.text.charCodeAt(this.at)
      if (code === 34) break
      if (Number.isNaN(code) || code < 32) throw this.unexpected('in string literal')
      if (code !== 92) continue
      plain = false
      this.escape()
    }
    const raw = this.text.slice(start, ++this.at)
    return plain ? raw.slice(1, -1) : (JSON.parse(raw) as string)
  }

  private escape(): void {
    const escaped = this.text[++this.at]
    if (escaped === 'u') {
      for (let digit = 0; digit < 4; digit++) {
        this.at++
        if (!/[0-9a-fA-F]/.test(this.text[this.at] ?? ''))
          throw this.unexpected(String.raw`in \u hexadecimal character escape`)
      }
    } else if (escaped === undefined || !'"\\/bfnrt'.includes(escaped)) {
      throw this.unexpected('in string escape code')
    }
  }

  private literal(word: string): void {
    for (let index = 0; index < word.length; index++, this.at++) {
      if (this.text[this.at] !== word[index]) throw this.unexpected(`in literal ${word} (expecting '${word[index]}')`)
    }
  }

  private number(): void {
    numberPattern.lastIndex = this.at
    const match = numberPattern.exec(this.text)
    if (match === null) {
      if (this.text[this.at] !== '-') throw this.unexpected('looking for beginning of value')
      this.at++
      throw this.unexpected('in numeric literal')
    }
    this.at += match[0].length
  }
}

export function scanJson(text: string): ScanResult {
  const scanner = new Scanner(text)
  try {
    scanner.run()
  } catch (error) {
    if (error instanceof Malformed) return { duplicates: scanner.duplicates, error: error.message }
    if (error instanceof RangeError) return { duplicates: scanner.duplicates, error: 'exceeded max depth' }
    throw error
  }
  return { duplicates: scanner.duplicates, error: undefined }
}
