import { beforeAll, describe, expect, test } from 'vitest'
import { decodeObject } from '../decode.ts'
import type { KubeObject } from '../object.ts'
import { apiVersionOf } from '../resource.ts'
import { allKinds } from './all.ts'

describe.each(allKinds.map(kind => [`${kind.resource.plural}.${kind.resource.group}`, kind] as const))(
  '%s',
  (_, kind) => {
    const bare = (more: object = {}): KubeObject =>
      decodeObject(kind.model, {
        ...more,
        apiVersion: apiVersionOf(kind.resource),
        kind: kind.resource.kind,
        metadata: { name: 'x', namespace: 'n', uid: 'u' },
      }).object as unknown as KubeObject

    beforeAll(() => kind.load?.())

    test('has a text for every selectable field of an object of which only the name is given', () => {
      const draft = bare({ spec: { containers: [] } })
      kind.defaults?.(draft)
      for (const valueOf of Object.values(kind.selectableFields ?? {})) expect(valueOf(draft)).toBeTypeOf('string')
    })

    test('defaults, prepares, validates and prints an object of which only the name is given', () => {
      const draft = bare()
      kind.defaults?.(draft)
      kind.prepareForCreate?.(draft)
      expect(kind.validate?.(draft) ?? []).toBeInstanceOf(Array)
      const once = structuredClone(draft)
      kind.defaults?.(draft)
      expect(draft).toEqual(once)
    })

    test('has one cell for each column', () => {
      const draft = bare({ addressType: 'IPv4', spec: { containers: [] } })
      kind.defaults?.(draft)
      kind.prepareForCreate?.(draft)
      expect(kind.row(draft, 0)).toHaveLength(kind.columns.length)
    })
  },
)
