// The regex library of Kubernetes, and its named formats (`format.dns1123Label().validate(...)`).
import { checkLabel, checkLabel1035, checkLabelValue, checkQualifiedName, checkSubdomain, isIPv4, isIPv6, type Check } from '../../validation/formats.ts'
import { overload, type Overload } from '../functions.ts'
import { CelList, OpaqueValue, Optional } from '../values.ts'
import { compilePattern } from './pattern.ts'
import { patternCost, traversal } from './standard.ts'
import { parseDate, parseTimestamp } from './time.ts'

class FormatValue extends OpaqueValue {
  readonly type = 'kubernetes.NamedFormat'
  readonly name: string
  readonly check: Check

  constructor(name: string, check: Check) {
    super()
    this.name = name
    this.check = check
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof FormatValue && other.name === this.name
  }
}

/** A prefix may end with the hyphen that separates it from what is generated. */
const asPrefix = (check: Check): Check => value => check(value.endsWith('-') ? `${value.slice(0, -1)}a` : value)
const where = (holds: (value: string) => boolean, problem: string): Check => value => (holds(value) ? [] : [problem])

const formats: Readonly<Record<string, Check>> = {
  dns1123Label: checkLabel,
  dns1123Subdomain: checkSubdomain,
  dns1035Label: checkLabel1035,
  qualifiedName: checkQualifiedName,
  dns1123LabelPrefix: asPrefix(checkLabel),
  dns1123SubdomainPrefix: asPrefix(checkSubdomain),
  dns1035LabelPrefix: asPrefix(checkLabel1035),
  labelValue: checkLabelValue,
  uri: where(text => /^[a-zA-Z][a-zA-Z0-9+.-]*:.+|^\/.*/.test(text), 'invalid URI'),
  uuid: where(text => /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/.test(text), 'does not match the UUID format'),
  byte: where(text => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text), 'invalid base64'),
  date: where(text => parseDate(text) !== undefined, 'invalid date'),
  datetime: where(text => parseTimestamp(text) !== undefined, 'invalid datetime'),
  ipv4: where(isIPv4, 'invalid IPv4 address'),
  ipv6: where(isIPv6, 'invalid IPv6 address'),
}

const named = new Map(Object.entries(formats).map(([name, check]) => [name, new FormatValue(name, check)]))

function validate({ check }: FormatValue, text: string): Optional {
  const problems = check(text)
  return problems.length === 0 ? Optional.none : new Optional(new CelList(problems))
}

export const patternFunctions: readonly Overload[] = [
  overload('string::find(string): string', (text: string, pattern: string) => compilePattern(pattern).all(text, 1)[0] ?? '', patternCost),
  overload('string::findAll(string): list(string)', (text: string, pattern: string) => new CelList(compilePattern(pattern).all(text, Infinity)), patternCost),
  overload('string::findAll(string, int): list(string)', (text: string, pattern: string, limit: bigint) => new CelList(compilePattern(pattern).all(text, limit < 0n ? Infinity : Number(limit))), patternCost),
  ...[...named].map(([name, format]) => overload(`format.${name}(): kubernetes.NamedFormat`, () => format)),
  overload('format.named(string): optional(kubernetes.NamedFormat)', (name: string) => {
    const format = named.get(name)
    return format === undefined ? Optional.none : new Optional(format)
  }),
  overload('kubernetes.NamedFormat::validate(string): optional(list(string))', validate, traversal(1)),
]
