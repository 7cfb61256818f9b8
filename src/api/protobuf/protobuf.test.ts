import { exactInteger } from '../../lib/int64.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../api-error.ts'
import { decodeObject } from '../decode.ts'
import { modelNames, modelOf, type Field } from '../schema/schema.ts'
import {
  decodeProtobuf,
  decodeProtobufMessage,
  encodeProtobuf,
  encodeProtobufList,
  encodeProtobufMessage,
  encodeProtobufWatchEvent,
  encodeWatchFrame,
} from './envelope.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const roundTrip = (model: string, object: object): unknown =>
  decodeProtobufMessage(model, encodeProtobufMessage(model, object))

describe('bodies', () => {
  test('a namespace, byte for byte', () => {
    const body = encodeProtobuf('V1Namespace', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } })
    expect(hex(body)).toBe(
      ['6b387300', '0a0f', '0a027631', '12094e616d657370616365', '1205', '0a03', '0a0161', '1a00', '2200'].join(''),
    )
    expect(decodeProtobuf(body)).toMatchObject({ apiVersion: 'v1', kind: 'Namespace' })
    expect(decodeProtobufMessage('V1Namespace', decodeProtobuf(body).message)).toEqual({ metadata: { name: 'a' } })
  })

  test('lists and watch events', () => {
    const item = encodeProtobufMessage('V1ConfigMap', { metadata: { name: 'a' }, data: { k: 'v' } })
    const list = decodeProtobuf(
      encodeProtobufList('V1ConfigMap', {
        apiVersion: 'v1',
        kind: 'ConfigMapList',
        metadata: { resourceVersion: '7', remainingItemCount: 3 },
        items: [item, { metadata: { name: 'a' }, data: { k: 'v' } }],
      }),
    )
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMapList' })
    expect(decodeProtobufMessage('V1ConfigMapList', list.message)).toEqual({
      metadata: { resourceVersion: '7', remainingItemCount: 3 },
      items: [
        { metadata: { name: 'a' }, data: { k: 'v' } },
        { metadata: { name: 'a' }, data: { k: 'v' } },
      ],
    })
    expect(hex(encodeProtobufWatchEvent('ADDED', new Uint8Array([1, 2])))).toBe('0a05414444454412040a020102')
    expect(hex(encodeWatchFrame('ADDED', new Uint8Array([1, 2])))).toBe('0000000d0a05414444454412040a020102')
  })

  test('what is no protobuf is a bad request', () => {
    expect(() => decodeProtobuf(new Uint8Array([1, 2, 3, 4, 5]))).toThrow('expected prefix [107 56 115 0]')
  })
})

describe('messages', () => {
  test('special types keep their JSON form', () => {
    const pod = {
      metadata: {
        name: 'p',
        creationTimestamp: '2026-01-01T00:00:00Z',
        managedFields: [{ manager: 'm', fieldsV1: { 'f:spec': {} } }],
      },
      spec: {
        containers: [
          {
            name: 'c',
            resources: { limits: { cpu: '100m' } },
            livenessProbe: { httpGet: { port: 'http' }, initialDelaySeconds: 3 },
            readinessProbe: { tcpSocket: { port: 80 } },
            env: [{ name: 'E', value: 'ü€😀'.repeat(40) }],
          },
        ],
        volumes: [
          { name: 'v', emptyDir: {} },
          { name: 's', secret: { secretName: 'x', defaultMode: 0 } },
        ],
        terminationGracePeriodSeconds: 0,
        enableServiceLinks: false,
        nodeSelector: { a: '' },
      },
    }
    expect(roundTrip('V1Pod', pod)).toEqual(pod)
    expect(roundTrip('V1Lease', { spec: { renewTime: '2026-01-01T00:00:00.123456Z' } })).toEqual({
      spec: { renewTime: '2026-01-01T00:00:00.123456Z' },
    })
    expect(roundTrip('V1Secret', { data: { a: 'aGk=' } })).toEqual({ data: { a: 'aGk=' } })
    const schema = {
      type: 'object',
      additionalProperties: { type: 'string' },
      additionalItems: false,
      items: [{ type: 'string' }],
      default: { a: 1 },
      enum: ['a', 1],
      dependencies: { a: ['b'] },
      maximum: 1.5,
      'x-kubernetes-preserve-unknown-fields': false,
    }
    expect(roundTrip('V1JSONSchemaProps', schema)).toEqual(schema)
    expect(roundTrip('V1PodStatus', { startTime: '1960-01-01T00:00:00Z' })).toEqual({
      startTime: '1960-01-01T00:00:00Z',
    })
  })

  test('zero values that Go always writes do not reach JSON', () => {
    // hostNetwork = false (field 11), restartPolicy = "" (field 3), terminationGracePeriodSeconds = 0 (field 4, a pointer)
    expect(decodeProtobufMessage('V1PodSpec', new Uint8Array([0x58, 0, 0x1a, 0, 0x20, 0]))).toEqual({
      terminationGracePeriodSeconds: 0,
    })
  })
})

const scalars: Partial<Record<Field['type'], fc.Arbitrary<unknown>>> = {
  string: fc.string({ minLength: 1, unit: 'grapheme' }),
  boolean: fc.constant(true),
  int32: fc.integer().filter(value => value !== 0),
  int64: fc
    .oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
    .map(value => exactInteger(BigInt(value)))
    .filter(value => value !== 0),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).filter(value => value !== 0),
  bytes: fc.uint8Array({ minLength: 1 }).map(bytes => Buffer.from(bytes).toString('base64')),
  quantity: fc.constantFrom('1', '100m', '2Gi'),
  intOrString: fc.oneof(fc.integer(), fc.string({ minLength: 1 })),
  time: fc.constantFrom('2026-11-21T09:00:00Z', '1969-12-31T23:59:59Z'),
  microTime: fc.constant('2026-11-21T09:00:00.000042Z'),
  raw: fc.dictionary(fc.string(), fc.integer()),
  json: fc.constantFrom<unknown>('x', 1, { a: [1] }),
  fieldsV1: fc.constant({ 'f:a': {} }),
  stringList: fc.array(fc.string(), { minLength: 1 }),
  schemaOrBool: fc.constantFrom<unknown>(true, false, { type: 'string' }),
  schemaOrArray: fc.constantFrom<unknown>({ type: 'string' }, [{ type: 'string' }]),
  schemaOrStrings: fc.constantFrom<unknown>({ type: 'string' }, ['a']),
}

/** Objects of a model, a few fields each, three levels deep. */
function arbitrary(model: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = [...modelOf(model).fields.values()].filter(
    field => field.wire.length > 0 && (depth > 0 || field.type !== 'object'),
  )
  if (fields.length === 0) return fc.constant({})
  return fc
    .subarray(fields, { maxLength: Math.min(4, fields.length) })
    .chain(
      chosen =>
        fc.record(Object.fromEntries(chosen.map(field => [field.name, arbitraryField(field, depth)]))) as fc.Arbitrary<
          Record<string, unknown>
        >,
    )
}

function arbitraryField(field: Field, depth: number): fc.Arbitrary<unknown> {
  const one = field.type === 'object' ? arbitrary(field.model, depth - 1) : scalars[field.type]!
  if (field.shape === 'list') return fc.array(one, { minLength: 1, maxLength: 3 })
  return field.shape === 'map'
    ? fc.dictionary(
        fc.string({ unit: 'grapheme-ascii' }).filter(key => key !== '__proto__'),
        one,
        { minKeys: 1, maxKeys: 3, noNullPrototype: true },
      )
    : one
}

test('every model comes back as it went', () => {
  const encodable = modelNames().filter(name => [...modelOf(name).fields.values()].some(field => field.wire.length > 0))
  for (const model of encodable) {
    fc.assert(
      fc.property(arbitrary(model, 3), object => {
        expect(roundTrip(model, object)).toEqual(object)
      }),
      { numRuns: 8 },
    )
  }
})

test('decoding JSON and decoding protobuf agree', () => {
  fc.assert(
    fc.property(arbitrary('V1Deployment', 4), object => {
      expect(decodeObject('V1Deployment', roundTrip('V1Deployment', object)).object).toEqual(
        decodeObject('V1Deployment', object).object,
      )
    }),
    { numRuns: 200 },
  )
})

test('no bytes make anything fail other than with an API error', () => {
  const outcome = (bytes: Uint8Array): unknown => {
    try {
      decodeProtobufMessage('V1Pod', bytes)
      return 'read'
    } catch (error) {
      return error instanceof ApiError ? 'refused' : error
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      expect(['read', 'refused']).toContain(outcome(bytes))
    }),
  )
})
