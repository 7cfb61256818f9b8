// The regex library of Kubernetes, and its named formats (`format.dns1123Label().validate(...)`).
import {
  checkLabel,
  checkLabel1035,
  checkLabelValue,
  checkQualifiedName,
  checkSubdomain,
  type Check,
} from '../../validation/formats.ts'
import { overload, type Overload } from '../functions.ts'
import { CelList, OpaqueValue, Optional, sizeOf, type Value } from '../values.ts'
import { compilePattern } from './pattern.ts'
import { patternCost, patternPrice } from './standard.ts'
import { parseDate, parseTimestamp } from './time.ts'
import { unparsable, urlOf } from './url.ts'

interface NamedFormat {
  readonly check: Check
  readonly patternLength: number
}

class FormatValue extends OpaqueValue {
  readonly type = 'kubernetes.NamedFormat'
  readonly name: string
  readonly check: Check
  /** How long the pattern counts that such a text is taken to be matched with. */
  readonly patternLength: number

  constructor(name: string, { check, patternLength }: NamedFormat) {
    super()
    this.name = name
    this.check = check
    this.patternLength = patternLength
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof FormatValue && other.name === this.name
  }
}

/** A prefix may end with the hyphen that separates it from what is generated. */
const asPrefix =
  (check: Check): Check =>
  value =>
    check(value.endsWith('-') ? `${value.slice(0, -1)}a` : value)
const where =
  (holds: (value: string) => boolean, problem: string): Check =>
  value =>
    holds(value) ? [] : [problem]

const uriProblems: Check = text => (urlOf(text) === undefined ? [unparsable(text)] : [])
const format = (patternLength: number, check: Check): NamedFormat => ({ check, patternLength })

const formats: Readonly<Record<string, NamedFormat>> = {
  dns1123Label: format(30, checkLabel),
  dns1123Subdomain: format(60, checkSubdomain),
  dns1035Label: format(30, checkLabel1035),
  qualifiedName: format(60, checkQualifiedName),
  dns1123LabelPrefix: format(30, asPrefix(checkLabel)),
  dns1123SubdomainPrefix: format(60, asPrefix(checkSubdomain)),
  dns1035LabelPrefix: format(30, asPrefix(checkLabel1035)),
  labelValue: format(40, checkLabelValue),
  // The original takes the lengths of patterns that it does not use; these are about as long.
  uri: format(2000, uriProblems),
  uuid: format(
    73,
    where(
      text => /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/.test(text),
      'does not match the UUID format',
    ),
  ),
  byte: format(
    91,
    where(text => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text), 'invalid base64'),
  ),
  date: format(
    73,
    where(text => parseDate(text) !== undefined, 'invalid date'),
  ),
  datetime: format(
    73,
    where(text => parseTimestamp(text) !== undefined, 'invalid datetime'),
  ),
}

const named = new Map(Object.entries(formats).map(([name, each]) => [name, new FormatValue(name, each)]))

function validate({ check }: FormatValue, text: string): Optional {
  const problems = check(text)
  return problems.length === 0 ? Optional.none : new Optional(new CelList(problems))
}

const matchingCost = ([value, text]: readonly Value[]): number =>
  patternPrice(sizeOf(text!), (value as FormatValue).patternLength)

export const patternFunctions: readonly Overload[] = [
  overload(
    'string::find(string): string',
    (text: string, pattern: string) => compilePattern(pattern).all(text, 1)[0] ?? '',
    patternCost,
  ),
  overload(
    'string::findAll(string): list(string)',
    (text: string, pattern: string) => new CelList(compilePattern(pattern).all(text, Infinity)),
    patternCost,
  ),
  overload(
    'string::findAll(string, int): list(string)',
    (text: string, pattern: string, limit: bigint) =>
      new CelList(compilePattern(pattern).all(text, limit < 0n ? Infinity : Number(limit))),
    patternCost,
  ),
  ...[...named].map(([name, value]) => overload(`format.${name}(): kubernetes.NamedFormat`, () => value)),
  overload('format.named(string): optional(kubernetes.NamedFormat)', (name: string) => {
    const value = named.get(name)
    return value === undefined ? Optional.none : new Optional(value)
  }),
  overload('kubernetes.NamedFormat::validate(string): optional(list(string))', validate, matchingCost),
]
