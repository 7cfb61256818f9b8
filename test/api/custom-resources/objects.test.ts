// Objects of a custom kind: what is pruned, filled in, refused and shown.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JSONSchemaProps as Schema } from '../../../src/api/generated/models.ts'
import { change, definition, install, version } from '../../../src/testing/custom-resources.ts'
import { startTestServer, type Answer, type TestServer } from '../../../src/testing/in-process-server.ts'

let server: TestServer
let count = 0
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const merge = { 'Content-Type': 'application/merge-patch+json' }
const causes = (answer: Answer): string[] => {
  expect(answer.status, answer.text).toBe(422)
  return answer.json.details.causes.map(
    ({ reason, field, message }: Record<string, string>) => `${reason} ${field}: ${message}`,
  )
}

interface ThingKind {
  readonly name: string
  readonly path: string
  readonly create: (spec: unknown, rest?: object, query?: string) => Promise<Answer>
  readonly patch: (object: string, body: object, type?: string) => Promise<Answer>
}

/** A kind of its own for each schema, and how to create and change its objects. */
async function kindWith(
  spec: Schema,
  more: Parameters<typeof version>[1] = {},
  beside: Record<string, Schema> = {},
): Promise<ThingKind> {
  const kind = `Thing${String.fromCharCode(97 + (count % 26))}${String.fromCharCode(97 + Math.floor(count++ / 26))}`
  await install(server, definition({ kind, versions: [version(spec, more, beside)] }))
  const path = `/apis/example.com/v1/namespaces/default/${kind.toLowerCase()}s`
  let objects = 0
  return {
    name: `${kind.toLowerCase()}s.example.com`,
    path,
    create: (given, rest = {}, query = '') =>
      server.call('POST', path + query, {
        body: { apiVersion: 'example.com/v1', kind, metadata: { name: `o${++objects}` }, spec: given, ...rest },
      }),
    patch: (object, body, type = merge['Content-Type']) =>
      server.call('PATCH', `${path}/${object}`, { body, headers: { 'Content-Type': type } }),
  }
}

describe('a status that the schema has for objects without one', () => {
  const status: Schema = {
    type: 'object',
    default: { phase: 'Pending' },
    properties: { phase: { type: 'string' }, count: { type: 'integer', default: 0 } },
  }

  test('is there from the start, whatever a client writes there, and after a status is taken away', async () => {
    const { create, path, patch } = await kindWith({ type: 'object' }, { subresources: { status: {} } }, { status })
    const usual = { phase: 'Pending', count: 0 }
    const created = await create({}, { status: { phase: 'Mine' } })
    expect(created.json.status).toEqual(usual)
    expect((await server.call('GET', `${path}/o1`)).json).toEqual(created.json)
    expect((await server.call('GET', path)).json.items[0].status).toEqual(usual)
    expect((await patch('o1/status', { status: { phase: 'Done', count: null } })).json.status).toEqual({
      phase: 'Done',
      count: 0,
    })
    expect((await patch('o1/status', { status: null })).json.status).toEqual(usual)
  })
})

describe('FieldValidation, custom resources', () => {
  const spec: Schema = {
    type: 'object',
    properties: {
      a: { type: 'string' },
      list: { type: 'array', items: { type: 'object', properties: { b: { type: 'integer' } } } },
    },
  }

  test('unknown fields are pruned with a warning, silently, or refused', async () => {
    const { create } = await kindWith(spec)
    const sent = { a: 'x', z: 1, list: [{ b: 1, y: 2 }] }
    const warned = await create(sent, { other: 1 })
    expect(warned.json.spec).toEqual({ a: 'x', list: [{ b: 1 }] })
    expect(warned.json.other).toBeUndefined()
    for (const field of ['spec.z', 'spec.list[0].y', 'other'])
      expect(warned.headers.warning).toContain(String.raw`unknown field \"${field}\"`)
    expect((await create(sent, {}, '?fieldValidation=Ignore')).headers.warning).toBeUndefined()
    const refused = await create(sent, {}, '?fieldValidation=Strict')
    expect([refused.status, refused.json.message]).toEqual([
      400,
      expect.stringMatching(
        /^Thing\w+ in version "v1" cannot be handled as a Thing\w+: strict decoding error: unknown field "spec\.z", unknown field "spec\.list\[0\]\.y"$/,
      ),
    ])
    const metadata = await create({}, { metadata: { name: 'm', strange: 1 } }, '?fieldValidation=Strict')
    expect(metadata.json.message).toContain('unknown field "metadata.strange"')
  })

  test('duplicate fields are reported', async () => {
    const { path, name } = await kindWith(spec)
    const kind = name.charAt(0).toUpperCase() + name.slice(1, name.indexOf('.') - 1)
    const answer = await server.call('POST', `${path}?fieldValidation=Strict`, {
      body: `{"apiVersion":"example.com/v1","kind":"${kind}","metadata":{"name":"d"},"spec":{"a":"x","a":"y"}}`,
    })
    expect(answer.json.message).toContain('strict decoding error: duplicate field "spec.a"')
  })

  test('FieldValidation should create/apply a CR with unknown fields for CRD with no validation schema', async () => {
    const { create } = await kindWith({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })
    const kept = await create({ anything: { deep: [1, { x: null }] } }, {}, '?fieldValidation=Strict')
    expect(kept.json.spec).toEqual({ anything: { deep: [1, { x: null }] } })
  })

  test('preserved fields are kept, and pruned again where the schema goes on', async () => {
    const { create } = await kindWith({
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { strict: { type: 'object', properties: { a: { type: 'string' } } } },
    })
    expect((await create({ any: { x: 1 }, strict: { a: '1', b: 2 } })).json.spec).toEqual({
      any: { x: 1 },
      strict: { a: '1' },
    })
  })

  test('embedded objects keep apiVersion, kind and metadata, and must have them', async () => {
    const { create } = await kindWith({
      type: 'object',
      properties: {
        object: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
        },
      },
    })
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', labels: { a: 'b' }, strange: 1 },
      spec: { a: '1', b: 2 },
    }
    expect((await create({ object })).json.spec.object).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x', labels: { a: 'b' } },
      spec: { a: '1' },
    })
    expect(causes(await create({ object: { kind: 'no good', metadata: { labels: { 'a b': '' } } } }))).toEqual([
      'FieldValueRequired spec.object.apiVersion: Required value',
      expect.stringContaining(
        'spec.object.kind: Invalid value: "no good": may have mixed case, but should otherwise match',
      ),
      expect.stringContaining('spec.object.metadata.labels'),
    ])
    expect(causes(await create({ object: { apiVersion: 'a/b/c', kind: '', metadata: { name: 'a/b' } } }))).toEqual([
      'FieldValueInvalid spec.object.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      'FieldValueRequired spec.object.kind: Required value',
      `FieldValueInvalid spec.object.metadata.name: Invalid value: "a/b": may not contain '/'`,
    ])
  })

  test('embedded objects in a map are named by their key', async () => {
    const { create } = await kindWith({
      type: 'object',
      additionalProperties: {
        type: 'object',
        'x-kubernetes-embedded-resource': true,
        'x-kubernetes-preserve-unknown-fields': true,
      },
    })
    expect(causes(await create({ one: { apiVersion: 'v1' } }))).toEqual([
      'FieldValueRequired spec[one].kind: Required value',
    ])
  })

  test.each<[string, object, string]>([
    ['apiVersion', { apiVersion: 5 }, 'apiVersion: Invalid value: 5: must be a string'],
    ['kind', { kind: ['Pod'] }, 'kind: Invalid value: ["Pod"]: must be a string'],
    [
      'metadata',
      { metadata: { name: 1 } },
      'metadata: Invalid value: {"name":1}: json: cannot unmarshal number into Go struct field ObjectMeta.name of type string',
    ],
  ])('an embedded object whose %s is of another type is not decoded', async (_field, part, problem) => {
    const { create } = await kindWith({
      type: 'object',
      properties: {
        object: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
    })
    const { json } = await create({ object: { apiVersion: 'v1', kind: 'Pod', ...part } })
    expect([json.code, json.reason, json.message]).toEqual([
      400,
      'BadRequest',
      expect.stringMatching(/^(\w+) in version "v1" cannot be handled as a \1: spec\.object\./),
    ])
    expect(json.message).toContain(`: spec.object.${problem}`)
  })
})

describe('custom resource defaulting', () => {
  test('CustomResourceDefinition resources [Privileged:ClusterAdmin] custom resource defaulting for requests and from storage works', async () => {
    const { create, path, name } = await kindWith({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
    })
    await create({})
    const withDefault = (properties: Record<string, Schema>): Promise<Answer> =>
      change(server, name, { versions: [version({ type: 'object', properties })] })
    expect((await withDefault({ a: { type: 'string', default: 'A' }, b: { type: 'string' } })).status).toBe(200)
    expect((await server.call('GET', `${path}/o1`)).json.spec).toEqual({ a: 'A' })
    expect((await create({})).json.spec).toEqual({ a: 'A' })
    await withDefault({ a: { type: 'string' }, b: { type: 'string', default: 'B' } })
    expect((await server.call('GET', `${path}/o2`)).json.spec).toEqual({ a: 'A', b: 'B' })
    expect((await server.call('GET', path)).json.items.map((item: { spec: object }) => item.spec)).toEqual([
      { b: 'B' },
      { a: 'A', b: 'B' },
    ])
  })

  test('fills in what a default brings along, in lists and maps, and takes away nulls', async () => {
    const inner: Schema = { type: 'object', properties: { port: { type: 'integer', default: 80 } } }
    const { create } = await kindWith({
      type: 'object',
      properties: {
        whole: { ...inner, default: {} },
        list: { type: 'array', items: inner },
        map: { type: 'object', additionalProperties: inner },
        plain: { type: 'string' },
        nullable: { type: 'string', nullable: true, default: 'x' },
        given: { type: 'string', default: 'y' },
      },
    })
    expect((await create({ list: [{}], map: { a: {} }, plain: null, nullable: null, given: null })).json.spec).toEqual({
      whole: { port: 80 },
      list: [{ port: 80 }],
      map: { a: { port: 80 } },
      nullable: null,
      given: 'y',
    })
  })
})

describe('validation', () => {
  test.each<[string, Schema, unknown, string[]]>([
    [
      'type',
      { type: 'integer' },
      'x',
      ['FieldValueTypeInvalid spec.v: Invalid value: "string": spec.v in body must be of type integer: "string"'],
    ],
    [
      'type of a fraction',
      { type: 'integer' },
      1.5,
      ['FieldValueTypeInvalid spec.v: Invalid value: "number": spec.v in body must be of type integer: "number"'],
    ],
    [
      'type of a list',
      { type: 'string' },
      [],
      ['FieldValueTypeInvalid spec.v: Invalid value: "array": spec.v in body must be of type string: "array"'],
    ],
    [
      'required',
      { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
      {},
      ['FieldValueRequired spec.v.a: Required value'],
    ],
    [
      'enum',
      { type: 'string', enum: ['b', 'a'] },
      'c',
      ['FieldValueNotSupported spec.v: Unsupported value: "c": supported values: "a", "b"'],
    ],
    [
      'pattern',
      { type: 'string', pattern: '^[a-z]+$' },
      'A',
      ['FieldValueInvalid spec.v: Invalid value: "A": spec.v in body should match \'^[a-z]+$\''],
    ],
    [
      'format',
      { type: 'string', format: 'date-time' },
      'soon',
      ['FieldValueTypeInvalid spec.v: Invalid value: "soon": spec.v in body must be of type date-time: "soon"'],
    ],
    [
      'int32',
      { type: 'integer', format: 'int32' },
      2 ** 31,
      ['FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.v'],
    ],
    [
      'minimum',
      { type: 'number', minimum: 1.5 },
      1,
      ['FieldValueInvalid spec.v: Invalid value: 1: spec.v in body should be greater than or equal to 1.5'],
    ],
    [
      'exclusive maximum',
      { type: 'integer', maximum: 5, exclusiveMaximum: true },
      5,
      ['FieldValueInvalid spec.v: Invalid value: 5: spec.v in body should be less than 5'],
    ],
    [
      'multipleOf',
      { type: 'integer', multipleOf: 5 },
      7,
      ['FieldValueInvalid spec.v: Invalid value: 7: spec.v in body should be a multiple of 5'],
    ],
    [
      'minLength',
      { type: 'string', minLength: 2 },
      '😀',
      ['FieldValueInvalid spec.v: Invalid value: "😀": spec.v in body should be at least 2 chars long'],
    ],
    [
      'maxLength',
      { type: 'string', maxLength: 2 },
      'abc',
      ['FieldValueTooLong spec.v: Too long: may not be more than 2 bytes'],
    ],
    [
      'minItems',
      { type: 'array', items: { type: 'string' }, minItems: 1 },
      [],
      ['FieldValueInvalid spec.v: Invalid value: 0: spec.v in body should have at least 1 items'],
    ],
    [
      'maxItems',
      { type: 'array', items: { type: 'string' }, maxItems: 1 },
      ['a', 'b'],
      ['FieldValueTooMany spec.v: Too many: 2: must have at most 1 item'],
    ],
    [
      'items',
      { type: 'array', items: { type: 'integer' } },
      [1, 'b'],
      ['FieldValueTypeInvalid spec.v[1]: Invalid value: "string": spec.v[1] in body must be of type integer: "string"'],
    ],
    [
      'maxProperties',
      { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 1 },
      { a: '', b: '' },
      ['FieldValueTooMany spec.v: Too many: 2: must have at most 1 item'],
    ],
    [
      'minProperties',
      { type: 'object', additionalProperties: { type: 'string' }, minProperties: 1 },
      {},
      ['FieldValueInvalid spec.v: Invalid value: 0: spec.v in body should have at least 1 properties'],
    ],
    [
      'additionalProperties',
      { type: 'object', additionalProperties: { type: 'string' } },
      { k: 1 },
      ['FieldValueTypeInvalid spec.v.k: Invalid value: "integer": spec.v.k in body must be of type string: "integer"'],
    ],
    [
      'allOf',
      { type: 'integer', allOf: [{ minimum: 3 }, { maximum: 9 }] },
      1,
      [
        'FieldValueInvalid spec.v: Invalid value: 1: spec.v in body should be greater than or equal to 3',
        'FieldValueInvalid <nil>: Invalid value: "": "spec.v" must validate all the schemas (allOf)',
      ],
    ],
    [
      'anyOf',
      { type: 'integer', anyOf: [{ minimum: 3 }, { multipleOf: 2 }] },
      1,
      [
        'FieldValueInvalid <nil>: Invalid value: "": "spec.v" must validate at least one schema (anyOf)',
        'FieldValueInvalid spec.v: Invalid value: 1: spec.v in body should be greater than or equal to 3',
      ],
    ],
    [
      'oneOf',
      { type: 'integer', oneOf: [{ minimum: 3 }, { multipleOf: 2 }] },
      4,
      [
        'FieldValueInvalid <nil>: Invalid value: "": "spec.v" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
    [
      'not',
      { type: 'integer', not: { minimum: 3 } },
      4,
      ['FieldValueInvalid <nil>: Invalid value: "": "spec.v" must not validate the schema (not)'],
    ],
    [
      'int-or-string',
      { 'x-kubernetes-int-or-string': true },
      true,
      [
        'FieldValueInvalid <nil>: Invalid value: "": "spec.v" must validate at least one schema (anyOf)',
        'FieldValueTypeInvalid spec.v: Invalid value: "boolean": spec.v in body must be of type integer: "boolean"',
      ],
    ],
    [
      'a set',
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      ['a', 'b', 'a', 'a'],
      ['FieldValueDuplicate spec.v[2]: Duplicate value: "a"'],
    ],
    [
      'a map list',
      {
        type: 'array',
        items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, x: { type: 'integer' } } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      },
      [{ k: 'a', x: 1 }, { k: 'a' }],
      ['FieldValueDuplicate spec.v[1]: Duplicate value: {"k":"a"}'],
    ],
  ])('%s', async (_, schema, value, expected) => {
    const { create } = await kindWith({ type: 'object', properties: { v: schema } })
    expect(causes(await create({ v: value }))).toEqual(expected)
  })

  test('what an update leaves alone is not checked again', async () => {
    const loose: Schema = {
      type: 'object',
      properties: {
        a: { type: 'string' },
        list: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } } } },
        b: { type: 'string' },
      },
    }
    const { create, name, patch } = await kindWith(loose)
    await create({ a: 'short', list: [{ n: 1 }, { n: 2 }] })
    await change(server, name, {
      versions: [
        version({
          type: 'object',
          properties: {
            a: { type: 'string', minLength: 10 },
            list: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer', minimum: 5 } } } },
            b: { type: 'string', minLength: 3 },
          },
        }),
      ],
    })
    expect((await patch('o1', { spec: { b: 'long enough' } })).status).toBe(200)
    expect(causes(await patch('o1', { spec: { b: 'x' } }))).toEqual([
      'FieldValueInvalid spec.b: Invalid value: "x": spec.b in body should be at least 3 chars long',
    ])
    expect(causes(await patch('o1', { spec: { a: 'other' } }))).toEqual([
      'FieldValueInvalid spec.a: Invalid value: "other": spec.a in body should be at least 10 chars long',
    ])
    expect(causes(await patch('o1', { spec: { list: [{ n: 1 }, { n: 3 }] } }))).toEqual([
      'FieldValueInvalid spec.list[1].n: Invalid value: 3: spec.list[1].n in body should be greater than or equal to 5',
    ])
  })

  test('an update needs no revision, and keeps one that is given', async () => {
    const { create, path } = await kindWith({ type: 'object', properties: { a: { type: 'string' } } })
    const { json } = await create({ a: '1' })
    const replaced = await server.call('PUT', `${path}/o1`, { body: { ...json, spec: { a: '2' } } })
    expect([replaced.status, replaced.json.metadata.generation]).toEqual([200, 2])
    expect((await server.call('PUT', `${path}/o1`, { body: json })).status).toBe(409)
  })
})

describe('CustomResourceValidationRules', () => {
  const even: Schema = {
    type: 'object',
    properties: { n: { type: 'integer' }, m: { type: 'string' } },
    'x-kubernetes-validations': [
      { rule: 'self.n % 2 == 0', message: 'n must be even' },
      { rule: '!has(oldSelf.m) || self.m == oldSelf.m', message: 'm stays' },
    ],
  }

  test('rules are checked with the old object, and only on objects that fit the schema', async () => {
    const { create, patch } = await kindWith(even)
    expect(causes(await create({ n: 3 }))).toEqual([
      expect.stringMatching(/^FieldValueInvalid spec: Invalid value: .*: n must be even$/),
    ])
    expect((await create({ n: 2, m: 'x' })).status).toBe(201)
    expect(causes(await patch('o2', { spec: { m: 'y' } }))).toEqual([expect.stringContaining('m stays')])
    expect((await patch('o2', { spec: { n: 4 } })).status).toBe(200)
    expect(causes(await create({ n: 'x' }))).toEqual([
      expect.stringContaining('FieldValueTypeInvalid spec.n'),
      'FieldValueInvalid <nil>: Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
    ])
  })

  test('a rule that does not compile is refused with its definition', async () => {
    await expect(kindWith({ ...even, 'x-kubernetes-validations': [{ rule: 'self.none == 1' }] })).rejects.toThrow(
      'x-kubernetes-validations[0].rule',
    )
  })
})

describe('patches', () => {
  const spec: Schema = {
    type: 'object',
    properties: {
      a: { type: 'string' },
      n: { type: 'integer' },
      ports: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name'],
          properties: { name: { type: 'string' }, port: { type: 'integer' } },
        },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      },
    },
  }

  test('JSON, merge and server-side apply work; strategic merge is refused', async () => {
    const { create, path, patch } = await kindWith(spec)
    await create({ a: 'x', ports: [{ name: 'one', port: 1 }] })
    expect(
      (await patch('o1', [{ op: 'replace', path: '/spec/a', value: 'y' }], 'application/json-patch+json')).json.spec.a,
    ).toBe('y')
    expect((await patch('o1', { spec: { a: null, n: 2 } })).json.spec).toEqual({
      ports: [{ name: 'one', port: 1 }],
      n: 2,
    })
    const strategic = await patch('o1', { spec: { n: 3 } }, 'application/strategic-merge-patch+json')
    expect([strategic.status, strategic.json.message]).toEqual([
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    ])
    const kind = (await server.call('GET', `${path}/o1`)).json.kind as string
    const apply = (manager: string, ports: object[], name = 'o1'): Promise<Answer> =>
      server.call('PATCH', `${path}/${name}?fieldManager=${manager}`, {
        body: JSON.stringify({ apiVersion: 'example.com/v1', kind, metadata: { name }, spec: { ports } }),
        headers: { 'Content-Type': 'application/apply-patch+yaml' },
      })
    expect((await apply('second', [{ name: 'two', port: 2 }])).json.spec.ports).toEqual([
      { name: 'one', port: 1 },
      { name: 'two', port: 2 },
    ])
    const conflict = await apply('third', [{ name: 'two', port: 3 }])
    expect([conflict.status, conflict.json.message]).toEqual([
      409,
      'Apply failed with 1 conflict: conflict with "second": .spec.ports[name="two"].port',
    ])
    expect((await apply('second', [])).json.spec.ports).toEqual([{ name: 'one', port: 1 }])
    expect((await apply('fresh', [{ name: 'x', port: 1 }], 'made')).status).toBe(201)
  })

  test('dry run stores nothing', async () => {
    const { create, path } = await kindWith(spec)
    expect((await create({ a: 'x' }, {}, '?dryRun=All')).status).toBe(201)
    expect((await server.call('GET', `${path}/o1`)).status).toBe(404)
  })
})

describe('forms of an object', () => {
  test('there is no protobuf', async () => {
    const { create, path } = await kindWith({ type: 'object' })
    await create({})
    expect(
      (await server.call('GET', `${path}/o1`, { headers: { Accept: 'application/vnd.kubernetes.protobuf' } })).status,
    ).toBe(406)
    expect(
      (
        await server.call('GET', `${path}/o1`, {
          headers: { Accept: 'application/vnd.kubernetes.protobuf,application/json' },
        })
      ).json.metadata.name,
    ).toBe('o1')
    const sent = await server.call('POST', path, {
      body: Buffer.from('k8s\0'),
      headers: { 'Content-Type': 'application/vnd.kubernetes.protobuf' },
    })
    expect([sent.status, sent.json.message]).toEqual([
      415,
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
    ])
    expect((await server.call('GET', `${path}/o1`, { headers: { Accept: 'application/yaml' } })).text).toContain(
      'name: o1',
    )
  })

  const asTable = { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

  test('a table has the age, or the columns that the definition asks for', async () => {
    const plain = await kindWith({ type: 'object' })
    await plain.create({})
    const table = (await server.call('GET', plain.path, { headers: asTable })).json
    expect(table.columnDefinitions.map(({ name, type }: { name: string; type: string }) => [name, type])).toEqual([
      ['Name', 'string'],
      ['Age', 'date'],
    ])
    expect(table.rows[0].cells).toEqual(['o1', expect.stringMatching(/^\d+s$/)])
    const column = (name: string, type: string, jsonPath: string, more: object = {}): never =>
      ({ name, type, jsonPath, ...more }) as never
    const rich = await kindWith(
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      {
        additionalPrinterColumns: [
          column('Size', 'integer', '.spec.size'),
          column('Share', 'number', '.spec.share', { priority: 1 }),
          column('On', 'boolean', '.spec.on'),
          column('Since', 'date', '.spec.since'),
          column('Bad', 'date', '.spec.size'),
          column('Ready', 'string', '.spec.conditions[?(@.type=="Ready")].status', {
            description: 'whether it is ready',
          }),
          column('First', 'string', '.spec.list[0]'),
          column('Map', 'string', '.spec.map'),
          column('Label', 'string', String.raw`.metadata.labels.example\.com/a`),
          column('None', 'string', '.spec.none'),
        ],
      },
    )
    await rich.create(
      {
        size: 3.7,
        share: 0.5,
        on: true,
        since: '2020-01-01T00:00:00Z',
        conditions: [
          { type: 'A', status: 'x' },
          { type: 'Ready', status: 'True' },
        ],
        list: [1],
        map: { a: 1 },
      },
      { metadata: { name: 'o1', labels: { 'example.com/a': 'l' } } },
    )
    const found = (await server.call('GET', rich.path, { headers: asTable })).json
    expect(found.rows[0].cells).toEqual([
      'o1',
      3,
      0.5,
      true,
      expect.stringMatching(/^\d+y/),
      null,
      'True',
      '1',
      '{"a":1}',
      'l',
      null,
    ])
    expect(found.columnDefinitions[2].priority).toBe(1)
    expect(found.columnDefinitions[1].description).toBe(
      'Custom resource definition column (in JSONPath format): .spec.size',
    )
    expect(found.columnDefinitions[6].description).toBe('whether it is ready')
  })

  test('CustomResourceFieldSelectors MUST list and watch custom resources matching the field selector', async () => {
    const { create, path } = await kindWith(
      { type: 'object', properties: { color: { type: 'string' }, n: { type: 'integer' } } },
      { selectableFields: [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.n' }] },
    )
    await create({ color: 'blue', n: 1 })
    await create({ color: 'green', n: 2 })
    const names = async (selector: string): Promise<string[]> =>
      (await server.call('GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`)).json.items.map(
        (item: { metadata: { name: string } }) => item.metadata.name,
      )
    expect(await names('spec.color=blue')).toEqual(['o1'])
    expect(await names('spec.color!=blue,spec.n=2')).toEqual(['o2'])
    const other = await server.call('GET', `${path}?fieldSelector=spec.other%3Dx`)
    expect([other.status, other.json.message]).toEqual([400, 'field label not supported: spec.other'])
    const watched = await server.call('GET', `${path}?watch=true&fieldSelector=spec.color%3Dgreen&timeoutSeconds=1`)
    expect(
      watched.text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).object.metadata.name),
    ).toEqual(['o2'])
  })

  test('an unqualified finalizer gives a warning', async () => {
    const { create } = await kindWith({ type: 'object' })
    expect((await create({}, { metadata: { name: 'f', finalizers: ['plain'] } })).headers.warning).toContain(
      'prefer a domain-qualified finalizer name',
    )
  })

  test('what breaks a new rule, and did before, gives a warning', async () => {
    const { name, create, patch } = await kindWith({
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
    })
    await create({ a: 0 })
    await change(server, name, {
      versions: [
        version({
          type: 'object',
          properties: {
            a: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 0' }] },
            b: { type: 'integer' },
          },
        }),
      ],
    })
    const answer = await patch('o1', { spec: { b: 1 } })
    expect([answer.status, answer.headers.warning]).toEqual([
      200,
      String.raw`299 - "spec.a: Invalid value: \"integer\": failed rule: self > 0"`,
    ])
    expect(causes(await patch('o1', { spec: { a: -1 } }))).toEqual([
      'FieldValueInvalid spec.a: Invalid value: "integer": failed rule: self > 0',
    ])
  })
})
