// Checks an `app.yml` against the table of fields. Every finding names the line, the field, what was
// expected, and for a mistyped name the nearest valid one.
import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml'
import type { FieldType } from './fields.ts'
import { nearestName } from './nearest-name.ts'
import { readYaml } from './yaml-source.ts'

export class ManifestError extends Error {
  readonly findings: readonly string[]

  constructor(file: string, findings: readonly string[]) {
    super(
      findings.length === 1
        ? `${file}:${findings[0]}`
        : `${file} has ${findings.length} mistakes:\n${findings.map(finding => `  ${file}:${finding}`).join('\n')}`,
    )
    this.name = 'ManifestError'
    this.findings = findings
  }
}

export interface CheckedManifest {
  /** Plain; texts are as they were written, `3.10` and `True` too. */
  readonly value: Record<string, unknown>
  /** For mistakes that are found later. */
  readonly lineAt: (path: readonly string[]) => number
}

/** @throws ManifestError */
export function checkedManifest(file: string, text: string, fields: FieldType): CheckedManifest {
  const { document, mistakes, lineOf, lineAt } = readYaml(text)
  const findings = [...mistakes]
  const report: Report = (node, message) => void findings.push(`${lineOf(node)}: ${message}`)
  if (findings.length === 0) check(document.contents as Node | null, fields, '', report)
  if (findings.length > 0) throw new ManifestError(file, findings)
  return { value: document.toJS() as Record<string, unknown>, lineAt }
}

type Report = (node: Node | undefined, message: string) => void

function check(node: Node | null | undefined, field: FieldType, path: string, report: Report): void {
  const where = path === '' ? 'the manifest' : path
  switch (field.type) {
    case 'text':
      return checkText(node, field, where, report)
    case 'number':
      return checkNumber(node, field, where, report)
    case 'choice':
      return checkChoice(node, field, where, report)
    case 'list':
      if (!isSeq(node)) return report(node ?? undefined, `${where}: expected a list, found ${shown(node)}`)
      return node.items.forEach((item, index) => check(item as Node, field.items, `${path}[${index}]`, report))
    case 'map':
      if (!isMap(node))
        return report(node ?? undefined, `${where}: expected ${field.keyName}s with their values, found ${shown(node)}`)
      return pairsOf(node).forEach(({ key, value }) => {
        if (!field.keys.test(textOf(key)))
          report(key, `${where}: "${textOf(key)}" is no ${field.keyName}; expected ${field.keyRule}`)
        check(value, field.values, `${path}.${textOf(key)}`, report)
      })
    case 'object':
      return checkObject(node, field, path, report)
    case 'either':
      return check(node, field.options.find(option => fits(node, option)) ?? field.options[0]!, path, report)
  }
}

function checkText(
  node: Node | null | undefined,
  { pattern, expected }: Extract<FieldType, { type: 'text' }>,
  where: string,
  report: Report,
): void {
  const text = isScalar(node) ? writtenText(node) : undefined
  if (text === undefined || (pattern !== undefined && !pattern.test(text)))
    report(node ?? undefined, `${where}: expected ${expected}, found ${shown(node)}`)
  else (node as Scalar).value = text
}

/** A version such as 3.10 is a number to YAML, and would lose its zero. */
function writtenText({ value, source }: Scalar): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint'
    ? (source ?? String(value))
    : undefined
}

function checkNumber(
  node: Node | null | undefined,
  { minimum, maximum, expected }: Extract<FieldType, { type: 'number' }>,
  where: string,
  report: Report,
): void {
  const value = isScalar(node) ? node.value : undefined
  const whole = maximum === Infinity ? typeof value === 'number' : Number.isInteger(value)
  if (!whole || (value as number) < minimum || (value as number) > maximum)
    report(node ?? undefined, `${where}: expected ${expected}, found ${shown(node)}`)
}

function checkChoice(
  node: Node | null | undefined,
  { values }: Extract<FieldType, { type: 'choice' }>,
  where: string,
  report: Report,
): void {
  const text = isScalar(node) ? String(node.value) : ''
  if (values.includes(text)) return
  const meant = nearestName(text, values)
  report(
    node ?? undefined,
    `${where}: expected ${values.join(' or ')}, found ${shown(node)}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  )
}

function checkObject(
  node: Node | null | undefined,
  { fields, mayBeEmpty }: Extract<FieldType, { type: 'object' }>,
  path: string,
  report: Report,
): void {
  if (mayBeEmpty && (node === null || (isScalar(node) && node.value === null))) return
  const where = path === '' ? 'the manifest' : path
  if (!isMap(node))
    return report(
      node ?? undefined,
      `${where}: expected the fields ${Object.keys(fields).join(', ')}, found ${shown(node)}`,
    )
  const present = new Set<string>()
  for (const { key, value } of pairsOf(node)) {
    const name = textOf(key)
    present.add(name)
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field !== undefined) check(value, field.is, path === '' ? name : `${path}.${name}`, report)
    else {
      const meant = nearestName(name, Object.keys(fields))
      report(
        key,
        `${path === '' ? '' : `${path}: `}unknown field "${name}"; ${meant === undefined ? `there is ${Object.keys(fields).join(', ')}` : `did you mean "${meant}"?`}`,
      )
    }
  }
  for (const [name, field] of Object.entries(fields))
    if (field.required && !present.has(name))
      report(node, `${path === '' ? '' : `${path}: `}the field "${name}" is missing: ${field.about}`)
}

interface KeyAndValue {
  readonly key: Node
  readonly value: Node | null
}

const pairsOf = (map: YAMLMap): KeyAndValue[] =>
  (map.items as Pair<Node, Node | null>[]).map(({ key, value }) => ({ key, value }))
const textOf = (node: Node): string => (isScalar(node) ? String(node.value) : '')

function fits(node: Node | null | undefined, field: FieldType): boolean {
  if (field.type === 'object' || field.type === 'map') return isMap(node)
  if (field.type === 'list') return isSeq(node)
  if (!isScalar(node)) return false
  return field.type !== 'number' || typeof node.value === 'number'
}

function shown(node: Node | null | undefined): string {
  if (isMap(node)) return 'a map'
  if (isSeq(node)) return 'a list'
  if (!isScalar(node) || node.value === null) return 'nothing'
  return JSON.stringify(node.value)
}
