// How a table of fields says what a file may hold. Checking, overlaying, messages, documentation and JSON Schema all
// read the same table; nothing about one field stands anywhere else.

export type FieldType = Text | Amount | Flag | Choice | CommandLine | List | NameMap | Fields

/** Stays as it was written, `3.10` and `True` too. */
export interface Text {
  readonly type: 'text'
  readonly pattern?: RegExp
  readonly expected: string
  /** Of those that the pattern takes, in characters. */
  readonly longest?: number
  /** Of a text that may be a number: it is smaller than this. */
  readonly below?: number
  /** What was surely meant by a wrong one. */
  readonly meant?: (found: string) => string | undefined
  /** What stands there may be a secret by mistake: it is not shown. */
  readonly hidden?: boolean
}

export interface Amount {
  readonly type: 'number'
  readonly minimum: number
  readonly maximum: number
  readonly expected: string
  readonly fractions?: boolean
}

export interface Flag {
  readonly type: 'flag'
  /** There is nothing else to say. */
  readonly only?: true
}

export interface Choice {
  readonly type: 'choice'
  readonly values: readonly string[]
}

/** A text that is split as a shell splits it, or a list. Becomes a list. */
export interface CommandLine {
  readonly type: 'command'
}

/** An environment replaces it as a whole. */
export interface List {
  readonly type: 'list'
  readonly items: FieldType
  /** None may be there twice. */
  readonly unique?: boolean
  /** One has to be there. */
  readonly some?: true
}

export interface NameMap {
  readonly type: 'map'
  readonly keys: RegExp
  readonly keyName: string
  /** What `keys` asks for, in words. */
  readonly keyRule: string
  /** Of a key, in characters. */
  readonly longest?: number
  readonly values: FieldType
  /** One of a right one, in one line. */
  readonly example: string
}

export interface Fields {
  readonly type: 'object'
  readonly fields: Readonly<Record<string, Field>>
  /** A value that stands for all of it: what it is, and which field it fills. */
  readonly short?: { readonly is: FieldType; readonly as: string }
  /** `true` stands for it without a field, `false` for none of it. */
  readonly switchable?: boolean
  /** A key with nothing behind it is fine. */
  readonly mayBeEmpty?: boolean
  /** It changes another one that it is laid over: nothing is required, and nothing behind a key takes away. */
  readonly patch?: boolean
  /** Only one of them makes sense; one that is laid over the rest takes the others away. */
  readonly oneOf?: { readonly names: readonly string[]; readonly required: boolean }
  /** When the value of this field changes, the others are those of something else, and go. */
  readonly distinguishedBy?: string
  /** What other tools call it, and what is written here. */
  readonly foreign?: Readonly<Record<string, string>>
}

export interface Field {
  readonly is: FieldType
  readonly required?: boolean
  readonly about: string
}

/** Names of fields, keys of maps, places in lists. */
export type Path = readonly (string | number)[]

export function pathText(path: Path): string {
  let text = ''
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`
  return text
}

export interface Mistake {
  readonly path: Path
  readonly message: string
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
