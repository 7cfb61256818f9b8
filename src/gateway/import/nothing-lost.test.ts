// Nothing that stands in a file gets lost without a word: what nobody knows is named in the report, wherever it stands, and
// what is known is named there or changes what is made.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { importConfiguration } from './import-configuration.ts'
import { reportText } from './report.ts'

const folder = join(import.meta.dirname, 'samples')
const samples = readdirSync(folder).filter(name => !name.endsWith('.txt'))
const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'kube-system', name: 'sampan' }

type Path = readonly (string | number)[]

function result(source: unknown): { readonly all: string; readonly report: string } {
  const { objects, report } = importConfiguration([{ name: 'it', text: JSON.stringify(source) }], {
    namespace: 'shop',
    parent,
  })
  const text = reportText(report)
  return { all: JSON.stringify(objects) + text, report: text }
}

const at = (source: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], source)

/** A copy with another value there. */
function withValue(source: unknown, path: Path, value: unknown): unknown {
  const copy: unknown = structuredClone(source)
  ;(at(copy, path.slice(0, -1)) as Record<string, unknown>)[path.at(-1)!] = value
  return copy
}

function other(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  return String(value).includes('{') ? 'plain' : `${String(value)}x`
}

const isNode = (value: unknown): value is object => typeof value === 'object' && value !== null

/** All fields below a place, but those of what was told as a whole. */
function fieldsBelow(value: unknown, path: Path, isTold: (key: string) => boolean): readonly Path[] {
  if (!isNode(value)) return [path]
  return Object.entries(value).flatMap(([key, child]): readonly Path[] => {
    const place = [...path, Array.isArray(value) ? Number(key) : key]
    if (!Array.isArray(value) && isTold(key)) return []
    return fieldsBelow(child, place, isTold)
  })
}

function objectsBelow(value: unknown, path: Path, isTold: (key: string) => boolean): readonly Path[] {
  if (!isNode(value)) return []
  return [
    ...(Array.isArray(value) ? [] : [path]),
    ...Object.entries(value).flatMap(([key, child]) =>
      !Array.isArray(value) && isTold(key)
        ? []
        : objectsBelow(child, [...path, Array.isArray(value) ? Number(key) : key], isTold),
    ),
  ]
}

describe.each(samples)('%s', name => {
  const source: unknown = parse(readFileSync(join(folder, name), 'utf8'))
  const before = result(source)
  const isTold = (key: string): boolean =>
    new RegExp(`(?:^|[ (/])${key.replaceAll(/[^\w-]/g, String.raw`\$&`)}(?:[ :,)]|$)`, 'm').test(before.report) &&
    !structure.has(key)

  test('each field is told, or changes what is made', () => {
    const silent = fieldsBelow(source, [], isTold).filter(
      path =>
        !isNamed(path, before.report) && result(withValue(source, path, other(at(source, path)))).all === before.all,
    )
    expect(silent.map(path => path.join('.'))).toEqual([])
  })

  test('whatever is not known is told', () => {
    const silent = objectsBelow(source, [], isTold).filter(
      path => !result(withValue(source, [...path, 'zz_unknown'], 'zz_value')).all.includes('zz_unknown'),
    )
    expect(silent.map(path => path.join('.'))).toEqual([])
  })
})

/** A line names the field together with one that it stands in. */
const isNamed = (path: Path, report: string): boolean => {
  const [key, ...outer] = path.filter(each => typeof each === 'string').toReversed()
  return report
    .split('\n')
    .some(line => new RegExp(`[(/ ]${key}\\b`).test(line) && outer.slice(0, 2).some(each => line.includes(each)))
}

/** Lists and fields that others stand in: what is told of them says nothing of all of those. */
const structure = new Set([
  'services',
  'routes',
  'plugins',
  'upstreams',
  'targets',
  'consumers',
  'apis',
  'certificates',
  'acls',
  'credentials',
  'keyauth_credentials',
  'basicauth_credentials',
  'jwt_secrets',
  'config',
  'attributes',
  'labels',
  'apps',
  'groups',
  'headers',
  'name',
  'route',
  'key',
  'defaults',
  '_info',
  'add',
  'remove',
  'append',
])
