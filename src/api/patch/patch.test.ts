import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../api-error.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

function codeOf(run: () => unknown): unknown {
  try {
    run()
    return 200
  } catch (error) {
    return error instanceof ApiError ? error.code : error
  }
}

describe('JSON patch', () => {
  test.each([
    ['add to a map', { a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    ['add into a list', { l: [1, 3] }, [{ op: 'add', path: '/l/1', value: 2 }], { l: [1, 2, 3] }],
    ['append to a list', { l: [1] }, [{ op: 'add', path: '/l/-', value: 2 }], { l: [1, 2] }],
    ['remove', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    [
      'escaped names',
      { 'a/b': 1, 'c~d': 2 },
      [
        { op: 'replace', path: '/a~1b', value: 3 },
        { op: 'remove', path: '/c~0d' },
      ],
      { 'a/b': 3 },
    ],
    ['move', { a: { x: 1 } }, [{ op: 'move', from: '/a/x', path: '/y' }], { a: {}, y: 1 }],
    ['copy', { a: [1] }, [{ op: 'copy', from: '/a/0', path: '/a/-' }], { a: [1, 1] }],
    [
      'a test that holds',
      { a: [1, { b: 2 }] },
      [{ op: 'test', path: '/a', value: [1, { b: 2 }] }],
      { a: [1, { b: 2 }] },
    ],
    ['a test for nothing', {}, [{ op: 'test', path: '/a', value: null }], {}],
  ])('%s', (_title, target, operations, expected) => {
    const before = structuredClone(target)
    expect(applyJsonPatch(target, operations)).toEqual(expected)
    expect(target).toEqual(before)
  })
  test.each([
    ['a test that fails', [{ op: 'test', path: '/a', value: 9 }], 422],
    ['a path that is not there', [{ op: 'remove', path: '/nope' }], 422],
    ['an unknown operation', [{ op: 'frob', path: '/a' }], 422],
    ['no list of operations', { a: 1 }, 400],
  ])('%s', (_title, operations, code) => {
    expect(codeOf(() => applyJsonPatch({ a: 1 }, operations))).toBe(code)
  })
})

test('merge patch merges maps, removes nulls and replaces the rest', () => {
  expect(applyMergePatch({ a: { b: 1, c: 2 }, l: [1, 2] }, { a: { b: null, d: { e: null, f: 1 } }, l: [3] })).toEqual({
    a: { c: 2, d: { f: 1 } },
    l: [3],
  })
  expect(() => applyMergePatch({}, [])).toThrow(
    'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  )
})

describe('strategic merge patch', () => {
  const containers = (...list: object[]): Record<string, unknown> => ({ spec: { containers: list } })
  const c = { name: 'c', image: 'nginx:1' }
  test.each([
    [
      'a new container stands first',
      containers(c),
      containers({ name: 'side', image: 's' }),
      containers({ name: 'side', image: 's' }, c),
    ],
    [
      'a known one is merged in place',
      containers({ name: 'a' }, c),
      containers({ name: 'c', image: 'x', env: [{ name: 'A', value: '1' }] }),
      containers({ name: 'a' }, { name: 'c', image: 'x', env: [{ name: 'A', value: '1' }] }),
    ],
    ['delete by key', containers(c, { name: 'side' }), containers({ name: 'side', $patch: 'delete' }), containers(c)],
    [
      'replace the list',
      containers(c, { name: 'side' }),
      containers({ $patch: 'replace' }, { name: 'z' }),
      containers({ name: 'z' }),
    ],
    [
      'an element order',
      containers(c),
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'z' }, { name: 'c' }],
          containers: [{ name: 'z', image: 'z' }],
        },
      },
      containers({ name: 'z', image: 'z' }, c),
    ],
    [
      'a set of scalars',
      { metadata: { finalizers: ['a'] } },
      { metadata: { finalizers: ['b'] } },
      { metadata: { finalizers: ['b', 'a'] } },
    ],
    [
      'delete from a set of scalars',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
      { metadata: { finalizers: ['b'] } },
    ],
    [
      'retain keys',
      { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
      { spec: { volumes: [{ name: 'v', hostPath: { path: '/' }, $retainKeys: ['name', 'hostPath'] }] } },
      { spec: { volumes: [{ name: 'v', hostPath: { path: '/' } }] } },
    ],
    [
      'replace a map',
      { spec: { nodeSelector: { a: '1', b: '2' } } },
      { spec: { nodeSelector: { $patch: 'replace', c: '3' } } },
      { spec: { nodeSelector: { c: '3' } } },
    ],
    [
      'an atomic list is replaced',
      { spec: { tolerations: [{ key: 'a' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
    ],
    [
      'nulls remove, and vanish where there is nothing',
      { metadata: { labels: { a: '1' } } },
      { metadata: { labels: { a: null, b: null }, annotations: { x: null, y: 'z' } } },
      { metadata: { labels: {}, annotations: { y: 'z' } } },
    ],
  ])('%s', (_title, target, patch, expected) => {
    const before = structuredClone(target)
    expect(applyStrategicMergePatch('V1Pod', target, patch)).toEqual(expected)
    expect(target).toEqual(before)
  })

  test('an element without its key is refused', () => {
    expect(() => applyStrategicMergePatch('V1Pod', containers(c), containers({ image: 'q' }))).toThrow(
      'map: map[image:q] does not contain declared merge key: name',
    )
  })
})

test('no patch makes anything fail other than with an API error', () => {
  const json = fc.jsonValue({ maxDepth: 4 })
  const object = fc.dictionary(
    fc.constantFrom(
      'spec',
      'metadata',
      'containers',
      '$patch',
      '$retainKeys',
      '$setElementOrder/containers',
      'volumes',
      'x',
    ),
    fc.oneof(
      json,
      fc.dictionary(
        fc.constantFrom(
          'containers',
          'volumes',
          'name',
          '$patch',
          '$setElementOrder/containers',
          '$deleteFromPrimitiveList/finalizers',
          'finalizers',
        ),
        json,
      ),
    ),
  )
  const operation = fc.record({
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
    path: fc.constantFrom('', '/', '/spec', '/spec/0', '/spec/-', '/x/y', 'q'),
    from: fc.constantFrom('', '/spec', '/x'),
    value: json,
  })
  const target = object.map(value => value as Record<string, unknown>)
  fc.assert(
    fc.property(target, object, fc.array(operation), (value, patch, operations) => {
      for (const code of [
        codeOf(() => applyStrategicMergePatch('V1Pod', value, patch)),
        codeOf(() => applyMergePatch(value, patch)),
        codeOf(() => applyJsonPatch(value, operations)),
      ])
        expect([200, 400, 422, 500]).toContain(code)
    }),
  )
})
