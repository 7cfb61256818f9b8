// The part of kubectl's JSONPath that printer columns use: fields, indexes, slices, wildcards and filters.
import { exactInteger, isNumber, type Int64 } from '../../lib/int64.ts'
import { isObject } from '../patch/json-value.ts'

type Step = (values: readonly unknown[]) => unknown[]
export type JsonPath = (object: unknown) => unknown[]

/** undefined: not a path this understands. @param path `.spec.ports[0].name` */
export function compileJsonPath(path: string): JsonPath | undefined {
  const steps: Step[] = []
  let rest = path
  while (rest !== '' && rest !== '.') {
    const parsed = parseStep(rest)
    if (parsed === undefined) return undefined
    steps.push(parsed.step)
    rest = rest.slice(parsed.length)
  }
  return object =>
    steps.reduce<readonly unknown[]>(
      (values, step) => (values.length === 0 ? values : step(values)),
      [object],
    ) as unknown[]
}

interface Parsed {
  readonly step: Step
  readonly length: number
}

const fieldPattern = /^\.((?:[^.[\]\\*]|\\.)+)/
const wildcardPattern = /^(?:\.\*|\[\*\])/
const quotedPattern = /^\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/
const slicePattern = /^\[(-?\d*)(?::(-?\d*))?(?::(\d*))?\]/
const filterPattern = /^\[\?\((.*?)\)\]/

function parseStep(text: string): Parsed | undefined {
  const wildcard = wildcardPattern.exec(text)
  if (wildcard !== null) return { step: values => values.flatMap(children), length: wildcard[0].length }
  const quoted = quotedPattern.exec(text)
  if (quoted !== null) return { step: fieldStep(unescape(quoted[1] ?? quoted[2] ?? '')), length: quoted[0].length }
  const field = fieldPattern.exec(text)
  if (field !== null) return { step: fieldStep(unescape(field[1]!)), length: field[0].length }
  const filter = filterPattern.exec(text)
  if (filter !== null) return filterStep(filter[1]!, filter[0].length)
  const slice = slicePattern.exec(text)
  return slice === null ? undefined : { step: sliceStep(slice), length: slice[0].length }
}

const unescape = (text: string): string => text.replaceAll(/\\(.)/g, '$1')

function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  return isObject(value) ? Object.values(value) : []
}

const fieldStep =
  (name: string): Step =>
  values =>
    values.flatMap(value => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []))

function sliceStep([whole, from = '', to, every = '']: RegExpExecArray): Step {
  if (!whole.includes(':'))
    return values => values.flatMap(value => (Array.isArray(value) ? value.slice(Number(from)).slice(0, 1) : []))
  const stride = Math.max(1, Number(every || 1))
  return values =>
    values.flatMap(value =>
      Array.isArray(value)
        ? value.slice(Number(from || 0), to ? Number(to) : undefined).filter((_, index) => index % stride === 0)
        : [],
    )
}

const comparisonPattern = /^\s*(@[^=!<>\s]*)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*$/

function filterStep(condition: string, length: number): Parsed | undefined {
  const match = comparisonPattern.exec(condition)
  const left = match === null ? undefined : compileJsonPath(match[1]!.slice(1))
  if (match === null || left === undefined) return undefined
  const [, , operator, right = ''] = match
  const wanted = literal(right)
  const holds = (item: unknown): boolean =>
    left(item).some(value => operator === undefined || compare(value, operator, wanted))
  return { step: values => values.flatMap(value => (Array.isArray(value) ? value.filter(holds) : [])), length }
}

function literal(text: string): unknown {
  const quoted = /^(["'])(.*)\1$/.exec(text)
  if (quoted !== null) return quoted[2]
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^-?\d+$/.test(text)) return exactInteger(BigInt(text))
  return Number.isNaN(Number(text)) ? text : Number(text)
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  switch (operator) {
    case '==':
      return left === right
    case '!=':
      return left !== right
    default:
  }
  const areNumbers = isNumber(left) && isNumber(right)
  if (!areNumbers && (typeof left !== 'string' || typeof right !== 'string')) return false
  const [a, b] = [left as Int64, right as Int64]
  return operator === '<' ? a < b : operator === '<=' ? a <= b : operator === '>' ? a > b : a >= b
}
