// One node of a YAML file against one type of the table: its value, or undefined when something is wrong with it, which
// is reported.
import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml'
import { shellWords } from '../../lib/shell-words.ts'
import type { Amount, Choice, Fields, FieldType, Flag, List, NameMap, Path, Text } from './field.ts'
import { listed, nearestName, suggestion } from './nearest-name.ts'

/** @param meant where it belongs, if that is known to be somewhere else */
type Report = (node: Node | undefined, path: Path, message: string, meant?: Path) => void
type Given = Node | null | undefined

export class CheckedNodes {
  private readonly report: Report
  private readonly name: string

  /** @param name of the whole, for people */
  constructor(report: Report, name: string) {
    this.report = report
    this.name = name
  }

  /** @param patch it is laid over something: nothing is required, and null takes away */
  value(node: Given, type: FieldType, path: Path, patch: boolean): unknown {
    if (patch && isNothing(node)) return null
    switch (type.type) {
      case 'text':
        return this.text(node, type, path)
      case 'number':
        return this.amount(node, type, path)
      case 'flag':
        return this.flag(node, type, path)
      case 'choice':
        return this.choice(node, type, path)
      case 'command':
        return this.command(node, path)
      case 'list':
        return this.list(node, type, path)
      case 'map':
        return this.map(node, type, path, patch)
      case 'object':
        return this.object(node, type, path, patch)
    }
  }

  private wrong(node: Given, path: Path, expected: string, hint = '', found = shown(node)): undefined {
    const where = path.length === 0 ? `${this.name}: ` : ''
    this.report(node ?? undefined, path, `${where}expected ${expected}, found ${found}${hint}`)
    return undefined
  }

  private text(node: Given, { pattern, expected, longest, meant, hidden }: Text, path: Path): string | undefined {
    const text = isScalar(node) ? writtenText(node) : undefined
    if (text !== undefined && (pattern === undefined || pattern.test(text))) return text
    if (text !== undefined && isTooLong(text, longest))
      return this.wrong(node, path, `at most ${longest} characters`, '; shorten it', `${text.length}: ${shown(node)}`)
    const suggested = text === undefined ? undefined : meant?.(text)
    const found = hidden === true && text !== undefined ? 'something else' : shown(node)
    return this.wrong(node, path, expected, suggested === undefined ? '' : `; did you mean ${suggested}?`, found)
  }

  private amount(node: Given, { minimum, maximum, expected, fractions }: Amount, path: Path): number | undefined {
    const value = isScalar(node) ? node.value : undefined
    const isOne = fractions === true ? Number.isFinite(value) : Number.isInteger(value)
    if (isOne && (value as number) >= minimum && (value as number) <= maximum) return value as number
    const quoted =
      typeof value === 'string' && /^\d+$/.test(value) && Number(value) >= minimum && Number(value) <= maximum
    return this.wrong(node, path, expected, quoted ? `; write ${value} without quotes` : '')
  }

  private flag(node: Given, { only }: Flag, path: Path): boolean | undefined {
    const value = isScalar(node) ? node.value : undefined
    if (value === true || (value === false && only === undefined)) return value
    const word = String(value).toLowerCase()
    const meant = /^(yes|on|true|1)$/.test(word) ? true : /^(no|off|false|0)$/.test(word) ? false : undefined
    const hint = meant === undefined || (only && !meant) ? '' : `; did you mean ${meant}?`
    return this.wrong(node, path, only ? 'true, or not to be there' : 'true or false', hint)
  }

  private choice(node: Given, { values }: Choice, path: Path): string | undefined {
    const text = isScalar(node) ? String(node.value) : ''
    if (values.includes(text)) return text
    const meant = nearestName(text, values)
    return this.wrong(node, path, listed(values, 'or'), meant === undefined ? '' : `; did you mean ${meant}?`)
  }

  private command(node: Given, path: Path): readonly string[] | undefined {
    if (isSeq(node)) {
      if (node.items.length === 0) return this.wrong(node, path, 'a program and its arguments', '', 'an empty list')
      const words = node.items.map((item, index) =>
        this.text(item as Node, { type: 'text', expected: 'text' }, [...path, index]),
      )
      return words.includes(undefined) ? undefined : (words as string[])
    }
    const text = isScalar(node) ? writtenText(node) : undefined
    const split = text === undefined ? { words: [] } : shellWords(text.trim())
    if ('problem' in split) {
      this.report(node!, path, split.shell ? `${split.problem}; start one: sh -c '...'` : split.problem)
      return undefined
    }
    const set = split.words[0]?.match(/^[A-Za-z_]\w*=/)
    if (set) {
      this.report(node!, path, `setting ${set[0]} needs a shell; put it under env, or start one: sh -c '...'`)
      return undefined
    }
    return split.words.length > 0 ? split.words : this.wrong(node, path, 'a program and its arguments')
  }

  private list(node: Given, { items, unique, some }: List, path: Path): readonly unknown[] | undefined {
    if (!isSeq(node))
      return this.wrong(
        node,
        path,
        'a list',
        isScalar(node) && !isNothing(node) ? `; write [${String(node.value)}]` : '',
      )
    if (some === true && node.items.length === 0) return this.wrong(node, path, 'at least one', '', 'an empty list')
    const values = node.items.map((item, index) => this.value(item as Node, items, [...path, index], false))
    if (unique === true)
      for (const [index, value] of values.entries())
        if (value !== undefined && values.indexOf(value) < index)
          this.report(
            node.items[index] as Node,
            [...path, index],
            `expected each once, found ${JSON.stringify(value)} again`,
          )
    return values.filter(value => value !== undefined)
  }

  private map(node: Given, type: NameMap, path: Path, patch: boolean): Record<string, unknown> | undefined {
    const { keys, keyName, keyRule, longest, values, example } = type
    if (!isMap(node)) return this.wrong(node, path, `${keyName}s with their values such as ${example}`)
    const entries = pairsOf(node).map(({ key, value }) => {
      const name = textOf(key)
      const rule = isTooLong(name, longest)
        ? `at most ${longest} characters, found ${name.length}; shorten it`
        : keyRule
      if (!keys.test(name)) this.report(key, path, `"${name}" is no ${keyName}; expected ${rule}`, [...path, name])
      return [name, this.value(value, values, [...path, name], patch)] as const
    })
    return Object.fromEntries(entries.filter(([name, value]) => value !== undefined && keys.test(name)))
  }

  private object(node: Given, type: Fields, path: Path, patch: boolean): unknown {
    const { fields, short, switchable, mayBeEmpty } = type
    if (isMap(node)) return this.fields(node, type, path, patch || type.patch === true)
    if (switchable === true && isScalar(node) && typeof node.value === 'boolean') return node.value ? {} : false
    if (mayBeEmpty === true && isNothing(node)) return {}
    if (short !== undefined) {
      const value = this.value(node, short.is, path, false)
      return value === undefined ? undefined : { [short.as]: value }
    }
    const instead = switchable === true ? 'true, false or ' : ''
    const isJoined = isScalar(node) && /^\w+:\S/.test(String(node.value))
    const hint = path.length === 0 && isJoined ? '; write a space behind each ":"' : ''
    return this.wrong(node, path, `${instead}the fields ${Object.keys(fields).join(', ')}`, hint)
  }

  private fields(node: YAMLMap, type: Fields, path: Path, patch: boolean): Record<string, unknown> {
    const { fields, oneOf } = type
    const value = new Map<string, unknown>()
    const present: string[] = []
    for (const { key, value: behind } of pairsOf(node)) {
      const name = textOf(key)
      present.push(name)
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined
      if (field === undefined) this.unknown(key, name, type, path)
      else value.set(name, this.value(behind, field.is, [...path, name], patch))
    }
    if (!patch)
      for (const [name, field] of Object.entries(fields))
        if (field.required && !present.includes(name))
          this.report(node, path, `the field "${name}" is missing: ${field.about}`, [...path, name])
    const mistake = alternatives(oneOf, name => present.includes(name) && value.get(name) !== null, patch)
    if (mistake !== undefined) this.report(node, path, mistake)
    return Object.fromEntries([...value].filter(([, inside]) => inside !== undefined))
  }

  private unknown(key: Node, name: string, { fields, foreign = {} }: Fields, path: Path): void {
    if (!isScalar(key)) return this.report(key, path, `expected a name in front of ":", found ${shown(key)}`)
    const known = Object.keys(fields)
    const instead = Object.hasOwn(foreign, name) ? foreign[name] : undefined
    const meant = nearestName(name, known)
    this.report(key, path, `unknown field "${name}"; ${instead ?? suggestion(name, known)}`, [...path, meant ?? name])
  }
}

const isTooLong = (text: string, longest = Infinity): boolean => text.length > longest

/** What is wrong with which of several are there; undefined: nothing. */
export function alternatives(
  oneOf: Fields['oneOf'],
  isThere: (name: string) => boolean,
  mayLack: boolean,
): string | undefined {
  if (oneOf === undefined) return undefined
  const found = oneOf.names.filter(isThere)
  if (found.length === 1 || (found.length === 0 && (mayLack || !oneOf.required))) return undefined
  return `expected one of ${listed(oneOf.names, 'and')}, found ${found.length === 0 ? 'none of them' : listed(found, 'and')}`
}

interface KeyAndValue {
  readonly key: Node
  readonly value: Node | null
}

const pairsOf = (map: YAMLMap): KeyAndValue[] =>
  (map.items as Pair<Node, Node | null>[]).map(({ key, value }) => ({ key, value }))
const textOf = (node: Node): string => (isScalar(node) ? (writtenText(node) ?? '') : '')
const isNothing = (node: Given): boolean =>
  node === null || node === undefined || (isScalar(node) && node.value === null)

/** A version such as 3.10 is a number to YAML, and would lose its zero. */
function writtenText({ value, source }: Scalar): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? (source ?? String(value))
    : undefined
}

/** A secret key does not belong here, and not into a log either. */
const secretKey = /AGE-SECRET-KEY-\S*/gi
const longestShown = 120

function shown(node: Given): string {
  if (isMap(node)) return isMap(node.items[0]?.key) ? 'a template, which is not filled in here' : 'a map'
  if (isSeq(node)) return 'a list'
  if (!isScalar(node) || node.value === null) return 'nothing'
  if (typeof node.value !== 'string') return writtenText(node) ?? 'something else'
  const text = node.value.replaceAll(secretKey, 'AGE-SECRET-KEY-...')
  return JSON.stringify(text.length > longestShown ? `${text.slice(0, longestShown)}...` : text)
}
