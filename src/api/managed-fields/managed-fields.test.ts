import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiError } from '../api-error.ts'
import type { KubeObject } from '../object.ts'
import { difference, intersection, isEmpty, union, type FieldSet } from './field-set.ts'
import { recordUpdate, type UpdateRecord } from './record-update.ts'
import { checkConfiguration, serverSideApply, type Apply } from './server-side-apply.ts'
import { shapeOfCustomResource } from './shape.ts'

type Loose = Record<string, unknown>
const object = (value: Loose): KubeObject => value as unknown as KubeObject
const deployment = (spec: Loose, metadata: Loose = {}): KubeObject =>
  object({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', ...metadata }, spec })
const template = (...containers: Loose[]): Loose => ({ template: { spec: { containers } } })

const record = (before: KubeObject | undefined, after: KubeObject, more: Partial<UpdateRecord> = {}): KubeObject => {
  const managedFields = recordUpdate({
    model: 'V1Deployment',
    before,
    after,
    manager: 'm',
    apiVersion: 'apps/v1',
    subresource: '',
    timestamp: 't1',
    ...more,
  })
  return object({ ...after, metadata: { ...after.metadata, managedFields } })
}
const fields = (value: KubeObject, manager: string): FieldSet | undefined =>
  value.metadata.managedFields?.find(entry => entry.manager === manager)?.fieldsV1 as FieldSet | undefined

describe('recordUpdate', () => {
  test('a creator owns what it sets, structures that Go holds by value excepted', () => {
    const created = record(
      undefined,
      deployment(
        {
          replicas: 1,
          selector: { matchLabels: { a: 'b' } },
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
          ...template({ name: 'c', image: 'i', ports: [{ containerPort: 80, protocol: 'TCP' }], resources: {} }),
        },
        { labels: { a: 'b' }, uid: 'u' },
      ),
    )
    expect(created.metadata.managedFields).toEqual([
      {
        manager: 'm',
        operation: 'Update',
        apiVersion: 'apps/v1',
        time: 't1',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
          'f:spec': {
            'f:replicas': {},
            'f:selector': {},
            'f:strategy': { 'f:type': {}, 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} } },
            'f:template': {
              'f:spec': {
                'f:containers': {
                  'k:{"name":"c"}': {
                    '.': {},
                    'f:name': {},
                    'f:image': {},
                    'f:resources': {},
                    'f:ports': {
                      '.': {},
                      'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ])
  })

  test("a change moves the field to who made it; what goes is nobody's", () => {
    const first = record(undefined, deployment({ replicas: 1, paused: true, ...template({ name: 'c', image: 'i' }) }))
    const second = record(first, deployment({ replicas: 2, ...template({ name: 'c', image: 'i' }) }), {
      manager: 'n',
      timestamp: 't2',
    })
    expect(fields(second, 'n')).toEqual({ 'f:spec': { 'f:replicas': {} } })
    expect(fields(second, 'm')).toEqual({
      'f:spec': {
        'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {}, 'f:image': {} } } } },
      },
    })
  })

  test("nothing changes when nothing changed; one's own change keeps one entry with a new time", () => {
    const first = record(undefined, deployment({ replicas: 1 }))
    expect(record(first, deployment({ replicas: 1 }), { timestamp: 't2' }).metadata.managedFields).toEqual(
      first.metadata.managedFields,
    )
    const changed = record(first, deployment({ replicas: 3 }), { timestamp: 't2' })
    expect(changed.metadata.managedFields).toMatchObject([
      { manager: 'm', time: 't2', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    ])
  })

  test('a subresource has an entry of its own', () => {
    const first = record(undefined, deployment({ replicas: 1 }))
    const status = record(first, object({ ...first, status: { replicas: 1 } }), {
      subresource: 'status',
      timestamp: 't2',
    })
    expect(status.metadata.managedFields).toHaveLength(2)
    expect(status.metadata.managedFields![1]).toEqual({
      manager: 'm',
      operation: 'Update',
      apiVersion: 'apps/v1',
      time: 't2',
      fieldsType: 'FieldsV1',
      subresource: 'status',
      fieldsV1: { 'f:status': { '.': {}, 'f:replicas': {} } },
    })
  })

  test('an empty entry clears the list, an untracked object stays untracked', () => {
    const first = record(undefined, deployment({ replicas: 1 }))
    expect(record(first, deployment({ replicas: 2 }, { managedFields: [{}] })).metadata.managedFields).toBeUndefined()
    expect(record(deployment({ replicas: 1 }), deployment({ replicas: 2 })).metadata.managedFields).toBeUndefined()
  })

  test('the oldest of too many updaters become one', () => {
    let current = record(undefined, deployment({ replicas: 1 }), { timestamp: 't00' })
    for (let index = 1; index <= 14; index++) {
      const annotations = { ...current.metadata.annotations, [`a${index}`]: 'x' }
      current = record(current, deployment({ replicas: 1 }, { annotations }), {
        manager: `m${index}`,
        timestamp: `t${10 + index}`,
      })
    }
    expect(current.metadata.managedFields).toHaveLength(10)
    expect(current.metadata.managedFields![0]!.manager).toBe('ancient-changes')
  })
})

const apply = (
  live: KubeObject | undefined,
  applied: KubeObject,
  manager: string,
  more: Partial<Apply> = {},
): KubeObject =>
  serverSideApply({
    model: 'V1Deployment',
    live,
    applied: checkConfiguration(applied, 'V1Deployment'),
    manager,
    force: false,
    apiVersion: 'apps/v1',
    subresource: '',
    timestamp: 't1',
    ...more,
  })

function refusal(run: () => unknown): ApiError {
  try {
    run()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('serverSideApply', () => {
  const c = { name: 'c', image: 'i:1', ports: [{ containerPort: 80 }] }
  const one = apply(undefined, deployment({ replicas: 0, ...template(c) }), 'one')

  test('an applier owns leaves and list elements', () => {
    expect(fields(one, 'one')).toEqual({
      'f:spec': {
        'f:replicas': {},
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"c"}': {
                '.': {},
                'f:name': {},
                'f:image': {},
                'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
              },
            },
          },
        },
      },
    })
  })

  test('the same again changes nothing, defaults included', () => {
    const stored = deployment(
      {
        replicas: 0,
        revisionHistoryLimit: 10,
        ...template({ ...c, imagePullPolicy: 'Always', ports: [{ containerPort: 80, protocol: 'TCP' }] }),
      },
      { managedFields: one.metadata.managedFields },
    )
    expect(apply(stored, deployment({ replicas: 0, ...template(c) }), 'one', { timestamp: 't9' })).toBe(stored)
  })

  test("another value is a conflict, in Kubernetes' words", () => {
    const error = refusal(() => apply(one, deployment({ replicas: 2, ...template({ ...c, image: 'i:2' }) }), 'two'))
    expect(error.code).toBe(409)
    expect(error.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.replicas\n- .spec.template.spec.containers[name="c"].image',
    )
    expect(error.status.details?.causes?.[1]).toEqual({
      reason: 'FieldManagerConflict',
      message: 'conflict with "one"',
      field: '.spec.template.spec.containers[name="c"].image',
    })
    expect(refusal(() => apply(one, deployment({ replicas: 2 }), 'two')).message).toBe(
      'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
    )
  })

  test('force takes the field; the same value is shared', () => {
    const forced = apply(one, deployment({ replicas: 2, ...template(c) }), 'two', { force: true })
    expect(forced).toMatchObject({ spec: { replicas: 2 } })
    expect(fields(forced, 'one')).not.toHaveProperty(['f:spec', 'f:replicas'])
    expect(fields(forced, 'one')).toHaveProperty(['f:spec', 'f:template'])
    expect(fields(forced, 'two')).toHaveProperty(['f:spec', 'f:replicas'])
  })

  test('what one no longer applies goes, unless another owns it', () => {
    const three = apply(one, deployment({}, { annotations: { k: 'v', s: 'x' } }), 'three')
    const four = apply(three, deployment({}, { annotations: { s: 'x' } }), 'four')
    const dropped = apply(four, deployment({}), 'three')
    expect(dropped.metadata.annotations).toEqual({ s: 'x' })
    expect(fields(dropped, 'three')).toEqual({ 'f:spec': {} })
    expect(apply(dropped, deployment({}), 'four').metadata.annotations).toBeUndefined()
  })

  test('a list element goes with its defaults; order follows the applied list', () => {
    const two = apply(one, deployment({ replicas: 0, ...template(c, { name: 'd', image: 'x' }) }), 'one')
    const withDefaults = structuredClone(two) as unknown as { spec: { template: { spec: { containers: Loose[] } } } }
    withDefaults.spec.template.spec.containers[1]!.imagePullPolicy = 'Always'
    const back = apply(withDefaults as unknown as KubeObject, deployment({ replicas: 0, ...template(c) }), 'one')
    expect(back).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'c' }] } } } })
    const order = apply(one, deployment({ ...template({ name: 'z', image: 'z' }) }), 'two')
    expect(order).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'c' }, { name: 'z' }] } } } })
  })

  test('an object nobody managed belongs to before-first-apply', () => {
    const error = refusal(() => apply(deployment({ replicas: 1 }), deployment({ replicas: 2 }), 'one'))
    expect(error.message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
    )
  })

  test('kubectl takes over what it applied client-side', () => {
    const lastApplied = JSON.stringify(deployment({ replicas: 1 }))
    const live = record(
      undefined,
      deployment(
        { replicas: 1, paused: true },
        { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': lastApplied } },
      ),
      { manager: 'kubectl-client-side-apply' },
    )
    expect(apply(live, deployment({ replicas: 2 }), 'kubectl')).toMatchObject({ spec: { replicas: 2 } })
    expect(refusal(() => apply(live, deployment({ paused: false }), 'kubectl')).code).toBe(409)
  })

  test.each([
    [
      'an unknown field',
      deployment({ nope: 1 }),
      'failed to create typed patch object (/d; apps/v1, Kind=Deployment): .spec.nope: field not declared in schema',
    ],
    [
      'an element twice',
      deployment(template(c, c)),
      '.spec.template.spec.containers: duplicate entries for key [name="c"]',
    ],
    [
      'an element without key',
      deployment(template({ image: 'x' })),
      `.spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)`,
    ],
    ['managed fields', deployment({}, { managedFields: [{}] }), 'metadata.managedFields must be nil'],
  ])('%s is refused', (_title, applied, message) => {
    expect(refusal(() => apply(undefined, applied, 'one')).message).toContain(message)
  })

  test('custom resources follow the list types of their schema', () => {
    const model = shapeOfCustomResource({
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            oars: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['side'],
              items: { type: 'object', properties: { side: { type: 'string' }, length: { type: 'integer' } } },
            },
          },
        },
      },
    })
    const boat = (...oars: Loose[]): KubeObject =>
      object({ apiVersion: 'g/v1', kind: 'Boat', metadata: { name: 'b' }, spec: { oars } })
    const first = serverSideApply({
      model,
      live: undefined,
      applied: checkConfiguration(boat({ side: 'left', length: 1 }), model),
      manager: 'a',
      force: false,
      apiVersion: 'g/v1',
      subresource: '',
      timestamp: 't',
    })
    const second = serverSideApply({
      model,
      live: first,
      applied: checkConfiguration(boat({ side: 'right', length: 2 }), model),
      manager: 'b',
      force: false,
      apiVersion: 'g/v1',
      subresource: '',
      timestamp: 't',
    })
    expect(second).toMatchObject({
      spec: {
        oars: [
          { side: 'left', length: 1 },
          { side: 'right', length: 2 },
        ],
      },
    })
  })
})

const sets = fc
  .letrec<{ set: FieldSet }>(tie => ({
    set: fc.dictionary(
      fc.constantFrom('.', 'f:a', 'f:b', 'k:{"n":1}'),
      fc.oneof({ maxDepth: 3 }, fc.constant({}), tie('set')),
      { maxKeys: 3 },
    ) as fc.Arbitrary<FieldSet>,
  }))
  .set.map(set => normal(set))

/** A `.` never has children. */
function normal(set: FieldSet): FieldSet {
  return Object.fromEntries(
    Object.entries(set)
      .map(([key, inner]) => [key, key === '.' ? {} : normal(inner)])
      .filter(([key]) => key !== '.' || Object.keys(set).length > 1),
  )
}

test('sets obey the laws of sets', () => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      expect(isEmpty(difference(a, a))).toBe(true)
      expect(isEmpty(intersection(difference(a, b), b))).toBe(true)
      expect(isEmpty(difference(a, union(a, b)))).toBe(true)
      expect(isEmpty(difference(b, union(a, b)))).toBe(true)
    }),
  )
})
