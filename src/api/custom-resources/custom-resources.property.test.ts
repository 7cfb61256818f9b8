// Whatever schema a client sends, and whatever objects: checks give findings, never exceptions, and what
// was settled once stays as it is.
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { ApiError } from '../api-error.ts'
import type { CustomResourceDefinition } from '../generated/models.ts'
import { decodeObject } from '../decode.ts'
import { customResourceDefinitionKind } from '../kinds/custom-resource-definition.ts'
import type { KubeObject } from '../object.ts'
import { compileVersion } from './compiled-version.ts'
import { kindsOfDefinition } from './kinds-of-definition.ts'
import type { Schema } from './schema.ts'

// As the server does before the first write.
beforeAll(() => compileVersion({}).load())

const name = fc.constantFrom('a', 'b', 'metadata', 'kind', '__proto__', 'constructor', 'x.y')
const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>
const count = fc.integer({ min: -1, max: 3 })

/** Schemas nested this deep; each level has at most a few inside. */
function schemas(depth: number): fc.Arbitrary<Schema> {
  const inner = depth === 0 ? fc.constant<Schema>({ type: 'string' }) : schemas(depth - 1)
  const nested = {
    properties: fc.dictionary(name, inner, { maxKeys: 3 }),
    additionalProperties: fc.oneof(fc.boolean(), inner),
    items: fc.oneof(
      { weight: 4, arbitrary: inner as fc.Arbitrary<unknown> },
      { weight: 1, arbitrary: fc.array(inner, { maxLength: 1 }) },
    ),
    allOf: fc.array(inner, { maxLength: 2 }),
    anyOf: fc.array(inner, { maxLength: 2 }),
    oneOf: fc.array(inner, { maxLength: 2 }),
    not: inner,
  }
  return fc.record(
    {
      type: fc.constantFrom('object', 'array', 'string', 'integer', 'number', 'boolean', 'null', ''),
      format: fc.constantFrom(
        'date-time',
        'int32',
        'ipv4',
        'email',
        'cidr',
        'mac',
        'uri',
        'hostname',
        'duration',
        'creditcard',
        'isbn',
        'none',
      ),
      ...nested,
      required: fc.array(name, { maxLength: 2 }),
      enum: fc.array(json, { maxLength: 2 }),
      default: json,
      nullable: fc.boolean(),
      pattern: fc.constantFrom('^a+$', '(', '[', 'a{1000000}', ''),
      minimum: count,
      maximum: count,
      exclusiveMaximum: fc.boolean(),
      multipleOf: fc.constantFrom(0, 0.1, 2, -1),
      minLength: count,
      maxLength: count,
      minItems: count,
      maxItems: count,
      uniqueItems: fc.boolean(),
      minProperties: count,
      maxProperties: count,
      'x-kubernetes-preserve-unknown-fields': fc.boolean(),
      'x-kubernetes-embedded-resource': fc.boolean(),
      'x-kubernetes-int-or-string': fc.boolean(),
      'x-kubernetes-list-type': fc.constantFrom('set', 'map', 'atomic', 'none'),
      'x-kubernetes-list-map-keys': fc.array(name, { maxLength: 2 }),
      'x-kubernetes-map-type': fc.constantFrom('atomic', 'granular'),
    },
    { requiredKeys: [] as never[] },
  ) as fc.Arbitrary<Schema>
}
const schema = schemas(2)

const definitionOf = (root: Schema): CustomResourceDefinition =>
  ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'boats.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'boats', kind: 'Boat' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: root }, subresources: { status: {} } },
      ],
    },
  }) as unknown as CustomResourceDefinition

test('any schema is checked without an exception', async () => {
  await customResourceDefinitionKind.load!()
  fc.assert(
    fc.property(schema, root => {
      const draft = decodeObject('V1CustomResourceDefinition', definitionOf(root)).object as unknown as KubeObject
      customResourceDefinitionKind.defaults!(draft)
      expect(customResourceDefinitionKind.validate!(draft)).toBeInstanceOf(Array)
    }),
    { numRuns: 100 },
  )
})

test('any object of any schema is pruned, filled in, validated and shown without an exception, and settles', () => {
  fc.assert(
    fc.property(schema, json, json, (root, value, old) => {
      const definition = definitionOf(root)
      definition.status = { acceptedNames: definition.spec.names, storedVersions: ['v1'] }
      const kind = kindsOfDefinition(definition)[0]!
      let draft: Record<string, unknown>
      try {
        draft = kind.custom!.decode(value).object
      } catch (error) {
        // Metadata of wrong types is the client's mistake, and told as such.
        expect(error).toBeInstanceOf(ApiError)
        return
      }
      kind.defaults!(draft as unknown as KubeObject)
      const object = { ...draft, metadata: { name: 'x' } } as unknown as KubeObject
      expect(kind.validate!(object)).toBeInstanceOf(Array)
      expect(kind.validateUpdated!(object, object)).toBeInstanceOf(Array)
      expect(kind.row(object, 0)).toHaveLength(kind.columns.length)
      expect(
        compileVersion(root).validate(object, {
          ...(typeof old === 'object' ? old : {}),
          metadata: { name: 'x' },
        } as KubeObject),
      ).toBeInstanceOf(Array)
      const stored = JSON.parse(JSON.stringify(object)) as KubeObject
      expect(kind.storage!.fromStorage(kind.storage!.fromStorage(stored))).toEqual(kind.storage!.fromStorage(stored))
    }),
    { numRuns: 200 },
  )
})
