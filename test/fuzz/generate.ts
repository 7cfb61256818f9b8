// Objects of every kind out of their models: right in shape, mostly wrong in content, and then broken on
// purpose.
import { stringify } from 'yaml'
import type { KindDefinition } from '../../src/api/kind.ts'
import { encodeProtobuf } from '../../src/api/protobuf/envelope.ts'
import { apiVersionOf } from '../../src/api/resource.ts'
import { modelOf, type Field } from '../../src/api/schema/schema.ts'
import type { Chance } from './cases.ts'

type Json = Record<string, unknown>

const words = [
  'a',
  'web',
  'x-1',
  'app.kubernetes.io/name',
  'Always',
  'TCP',
  'ClusterIP',
  '*',
  '10.0.0.1',
  '10.0.0.0/24',
  '::1',
  'fe80::/64',
  '80',
  'http',
  '25%',
  'example.com',
  '*.example.com',
  'v1',
  'apps/v1',
  'Pod',
  '/a/b',
  '../..',
  'metadata.name',
  '$(A)',
  'In',
  'Exists',
  '*/5 * * * *',
  '1h',
  'UTC',
  'Europe/Berlin',
  'self.x > 1',
  'object.spec.replicas > 1',
  'has(object.a)',
  '^a+$',
  '(a+)+$',
  '[',
]
const odd = [
  '',
  ' ',
  '\0',
  '\uD800',
  '\u{1F6A3}',
  'é',
  '‮',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'a'.repeat(300),
  'ä'.repeat(5000),
  '%00',
  '-',
  '.',
  '..',
  'A_B',
  '\n',
  '"',
  '\\',
  '(',
  'a{1000}{1000}',
  '{{',
  '0x10',
  '1e999',
  'NaN',
]
const numbers = [
  0,
  1,
  2,
  3,
  80,
  100,
  443,
  30_000,
  65_535,
  65_536,
  -1,
  1.5,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  5e-324,
]
const quantities = [
  '1',
  '100m',
  '2Gi',
  '0',
  '1.5',
  '-1',
  '1e3',
  '9999999999999999999999',
  '1Ki1',
  '',
  '0.0000000001',
  '1E',
  '12e-3',
]
const times = [
  '2026-01-02T03:04:05Z',
  '2026-01-02T03:04:05.123456Z',
  '1969-12-31T23:59:59Z',
  '0000-00-00T00:00:00Z',
  'yesterday',
  '99999-01-01T00:00:00Z',
]

export const text = (chance: Chance): string => (chance.isOneIn(4) ? chance.pick(odd) : chance.pick(words))

export function anything(chance: Chance, depth = 3): unknown {
  switch (chance.number(depth > 0 ? 8 : 5)) {
    case 0:
      return null
    case 1:
      return chance.isOneIn(2)
    case 2:
      return chance.pick(numbers)
    case 3:
    case 4:
      return text(chance)
    case 5:
      return Array.from({ length: chance.number(4) }, () => anything(chance, depth - 1))
    case 6:
      return deep(chance.pick([10, 100, 1000]))
    default:
      return Object.fromEntries(
        Array.from({ length: chance.number(4) }, () => [text(chance), anything(chance, depth - 1)]),
      )
  }
}

function deep(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value }
  return value
}

function scalar({ type, model }: Field, chance: Chance, depth: number): unknown {
  switch (type) {
    case 'object':
      return objectOf(model, chance, depth - 1)
    case 'boolean':
      return chance.isOneIn(2)
    case 'int32':
    case 'int64':
    case 'double':
      return chance.pick(numbers)
    case 'quantity':
      return chance.pick(quantities)
    case 'intOrString':
      return chance.isOneIn(2) ? chance.pick(numbers) : text(chance)
    case 'time':
    case 'microTime':
      return chance.pick(times)
    case 'bytes':
      return chance.pick(['YQ==', '', 'not base64!', 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t'])
    case 'stringList':
      return [text(chance)]
    case 'string':
      return text(chance)
    default:
      return anything(chance)
  }
}

function valueOf(field: Field, chance: Chance, depth: number): unknown {
  if (field.shape === 'list') return Array.from({ length: chance.number(4) }, () => scalar(field, chance, depth))
  if (field.shape === 'map')
    return Object.fromEntries(
      Array.from({ length: chance.number(3) }, () => [text(chance), scalar(field, chance, depth)]),
    )
  return scalar(field, chance, depth)
}

function objectOf(model: string, chance: Chance, depth: number): Json {
  const chosen = [...modelOf(model).fields.values()].filter(
    field => (field.required && depth > -4) || (depth > 0 && chance.isOneIn(3)),
  )
  return Object.fromEntries(chosen.map(field => [field.name, valueOf(field, chance, depth)]))
}

/** An object of the kind, with a name and a place. */
export function objectOfKind(kind: KindDefinition, chance: Chance, namespace = 'default'): Json {
  const object = objectOf(kind.model, chance, 6)
  const metadata = {
    ...(chance.isOneIn(3) && (object['metadata'] as Json | undefined)),
    name: chance.isOneIn(10) ? text(chance) : 'fuzz',
    ...(kind.resource.scope === 'Namespaced' && { namespace }),
  }
  return { ...object, apiVersion: apiVersionOf(kind.resource), kind: kind.resource.kind, metadata }
}

/** Changes one place, wherever it is. */
export function mutate(root: unknown, chance: Chance): unknown {
  const places: [container: Json | unknown[], key: string][] = []
  const pending = [root]
  while (pending.length > 0 && places.length < 2000) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null) continue
    for (const key of Object.keys(value)) {
      places.push([value as Json, key])
      pending.push((value as Json)[key])
    }
  }
  if (places.length === 0) return anything(chance)
  const [container, key] = chance.pick(places)
  switch (chance.number(6)) {
    case 0:
      delete (container as Json)[key]
      break
    case 1:
      set(container as Json, text(chance), anything(chance))
      break
    case 2:
      set(container as Json, '__proto__', { polluted: true })
      break
    case 3:
      set(container as Json, 'constructor', { prototype: { polluted: true } })
      break
    case 4:
      set(container as Json, key, [(container as Json)[key], (container as Json)[key]])
      break
    default:
      set(container as Json, key, anything(chance))
  }
  return root
}

/** As `JSON.parse` does: `__proto__` is a key like others. */
function set(container: Json, key: string, value: unknown): void {
  Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true })
}

export interface Encoded {
  readonly mediaType: string
  readonly bytes: Buffer
}

/** The object as a body in one of the formats, sometimes damaged. */
export function encoded(kind: KindDefinition, object: unknown, chance: Chance): Encoded {
  const damage = (bytes: Buffer): Buffer => (chance.isOneIn(4) ? damaged(bytes, chance) : bytes)
  switch (chance.number(6)) {
    case 0:
      return { mediaType: 'application/yaml', bytes: damage(Buffer.from(yaml(object, chance))) }
    case 1:
      return { mediaType: 'application/vnd.kubernetes.protobuf', bytes: damage(protobuf(kind, object)) }
    default:
      return { mediaType: 'application/json', bytes: damage(Buffer.from(JSON.stringify(object) ?? '')) }
  }
}

function yaml(object: unknown, chance: Chance): string {
  const written = chance.isOneIn(2) ? (JSON.stringify(object) ?? '') : blockStyle(object)
  return (
    chance.pick([
      '',
      '---\n',
      '%YAML 1.1\n---\n',
      'a: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n',
      '<<: {a: b}\n',
      '!!js/function x\n',
      '? {a: b}\n: c\n',
      '',
      '',
      '',
    ]) + written
  )
}

function blockStyle(object: unknown): string {
  try {
    return stringify(object)
  } catch {
    // The library of the test cannot write what is nested that deep.
    return JSON.stringify(object)
  }
}

function protobuf(kind: KindDefinition, object: unknown): Buffer {
  try {
    return Buffer.from(encodeProtobuf(kind.model, object as object))
  } catch {
    // What has no protobuf form goes out as it would in JSON, under the wrong name.
    return Buffer.from(`k8s\0${JSON.stringify(object)}`)
  }
}

function damaged(bytes: Buffer, chance: Chance): Buffer {
  if (bytes.length === 0) return bytes
  const place = chance.number(bytes.length)
  switch (chance.number(4)) {
    case 0:
      return bytes.subarray(0, place)
    case 1:
      return Buffer.concat([bytes.subarray(0, place), bytes.subarray(Math.max(0, place - 20))])
    case 2:
      return Buffer.from(bytes.toString().replace('{', '{"metadata":{},"metadata":1,"kind":"x",'))
    default: {
      const changed = Buffer.from(bytes)
      changed[place] = chance.number(256)
      return changed
    }
  }
}
