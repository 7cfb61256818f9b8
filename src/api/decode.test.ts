import { describe, expect, test } from 'vitest'
import { decodeObject, parseJson, strictDecodingError } from './decode.ts'
import { parseYaml } from './parse-yaml.ts'

const pod = (spec: unknown): unknown => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec })
const deployment = (spec: unknown): unknown => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec,
})

describe('decodeObject', () => {
  test.each([
    [
      'a string for a list',
      'V1Pod',
      pod({ containers: 'x' }),
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container',
    ],
    [
      'a string for a number',
      'V1Deployment',
      deployment({ replicas: 'x' }),
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'a fraction for a number',
      'V1Deployment',
      deployment({ replicas: 1.5 }),
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'a number inside a list',
      'V1Pod',
      pod({ containers: [{ name: 1 }] }),
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string',
    ],
    [
      'a number as a label',
      'V1Pod',
      { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: 1 } } },
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      'not a quantity',
      'V1Pod',
      pod({ containers: [{ resources: { limits: { cpu: 'abc' } } }] }),
      'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
    ],
    [
      'not base64',
      'V1Secret',
      { apiVersion: 'v1', kind: 'Secret', data: { a: '***' } },
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
    ],
  ])('%s is refused in the words of Go', (_title, model, value, message) => {
    expect(() => decodeObject(model, value)).toThrow(message)
  })

  test('unknown fields are dropped and named by path; names are case-exact', () => {
    const { object, unknownFields } = decodeObject('V1Pod', pod({ nope: 1, containers: [{ name: 'c', Image: 'x' }] }))
    expect(unknownFields).toEqual(['spec.nope', 'spec.containers[0].Image'])
    expect(object).toEqual(pod({ containers: [{ name: 'c' }] }))
  })

  test('required structures are there as Go has them, unless they are pointers, each for itself', () => {
    const decode = (model: string, value: object): Record<string, unknown> => decodeObject(model, value).object
    expect(decode('V1RoleBinding', { metadata: { name: 'x' } })['roleRef']).toEqual({ kind: '', name: '' })
    expect(decode('V1DeploymentSpec', {})).toEqual({ template: {} })
    expect(decode('V1IPAddressSpec', {})).toEqual({})
    expect(decode('V1PodAffinity', { preferredDuringSchedulingIgnoredDuringExecution: [null] })).toEqual({
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, podAffinityTerm: { topologyKey: '' } }],
    })
    expect(decode('V1RoleBinding', {})['roleRef']).not.toBe(decode('V1RoleBinding', {})['roleRef'])
  })

  test('nulls and zero values vanish as in Go, pointers and required fields stay', () => {
    const given = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', creationTimestamp: null, labels: {}, annotations: { a: null } },
      spec: {
        replicas: 0,
        minReadySeconds: 0,
        paused: false,
        strategy: {},
        selector: {},
        template: { spec: { containers: [{ name: '', args: [] }], hostNetwork: false, enableServiceLinks: false } },
      },
    }
    expect(decodeObject('V1Deployment', given).object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', annotations: { a: '' } },
      spec: {
        replicas: 0,
        strategy: {},
        selector: {},
        template: { spec: { containers: [{ name: '' }], enableServiceLinks: false } },
      },
    })
  })

  test('scalars get their canonical form', () => {
    const { object } = decodeObject('V1Pod', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { creationTimestamp: '2026-01-01T01:00:00.5+01:00' },
      spec: {
        containers: [
          {
            name: 'c',
            resources: { limits: { cpu: 2, memory: '1Gi' } },
            livenessProbe: { httpGet: { port: 'http' } },
            readinessProbe: { tcpSocket: { port: 80 } },
          },
        ],
      },
    })
    expect(object).toMatchObject({
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {
        containers: [
          {
            resources: { limits: { cpu: '2', memory: '1Gi' } },
            livenessProbe: { httpGet: { port: 'http' } },
            readinessProbe: { tcpSocket: { port: 80 } },
          },
        ],
      },
    })
    expect(decodeObject('V1Lease', { spec: { renewTime: '2026-01-01T00:00:00Z' } }).object).toEqual({
      spec: { renewTime: '2026-01-01T00:00:00.000000Z' },
    })
  })

  test('schemas of custom resources keep what may be anything', () => {
    const schema = {
      type: 'object',
      additionalProperties: { type: 'string' },
      items: [{ type: 'string' }],
      default: { a: null },
      enum: [1, 'x', null],
      'x-kubernetes-preserve-unknown-fields': true,
    }
    expect(decodeObject('V1JSONSchemaProps', schema).object).toEqual({ ...schema, enum: [1, 'x', {}] })
  })

  test('a key named __proto__ is only a key', () => {
    const { object } = decodeObject('V1ConfigMap', JSON.parse('{"data":{"__proto__":"x"}}'))
    expect(Object.keys((object as { data: object }).data)).toEqual(['__proto__'])
  })
})

describe('parseJson', () => {
  test.each([
    ['{"kind":', 'unexpected end of JSON input ({"kind":)'],
    ['', 'unexpected end of JSON input (<empty>)'],
    ['{"a":1}}', "invalid character '}' after top-level value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['{"a":"\\x"}', "invalid character 'x' in string escape code"],
    ['hello', "invalid character 'h' looking for beginning of value"],
  ])('%j: %s', (text, problem) => {
    expect(() => parseJson(text, { duplicates: false, expected: 'Pod' })).toThrow(
      `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: ${problem}`,
    )
  })

  test('duplicate keys are found with their path', () => {
    expect(parseJson('{"spec":{"a":1,"l":[{"b":1,"b":2}],"a":2}}', { duplicates: true })).toEqual({
      value: { spec: { a: 2, l: [{ b: 2 }] } },
      duplicates: ['spec.l[0].b', 'spec.a'],
    })
  })

  test('a strict error names duplicates and unknown fields', () => {
    expect(strictDecodingError('Pod', 'v1', ['spec.nope'], []).message).toBe(
      'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.nope"',
    )
  })
})

describe('parseYaml', () => {
  test('reads what manifests contain, as YAML 1.1', () => {
    expect(
      parseYaml('a: yes\nmode: 0644\nt: 2001-01-01\nclock: 12:30:45\nnum: 1\nbase: &b {x: 1}\nm: {<<: *b, z: 2}\n', {
        duplicates: true,
      }),
    ).toEqual({
      value: { a: true, mode: 420, t: '2001-01-01', clock: '12:30:45', num: 1, base: { x: 1 }, m: { x: 1, z: 2 } },
      duplicates: [],
    })
  })
  test('names a key that stands twice, and refuses what is no YAML', () => {
    expect(parseYaml('a: 1\na: 2\n', { duplicates: true })).toEqual({
      value: { a: 2 },
      duplicates: ['line 2: key "a" already set in map'],
    })
    expect(() => parseYaml('{{{', { duplicates: false })).toThrow('error converting YAML to JSON: yaml: line 1')
  })
})

test('a patch that is no JSON is told as one', () => {
  expect(() => parseJson('x', { duplicates: false, ofPatch: 'error decoding patch: ' })).toThrow(
    /^error decoding patch: invalid character 'x' looking for beginning of value$/,
  )
})
