import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KubeObject } from '../api/object.ts'
import { ObjectIndex } from './object-index.ts'

interface Labelled extends KubeObject {
  readonly values: readonly string[]
}

const objectOf = (name: string, values: readonly string[]): Labelled => ({
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name, namespace: 'n', uid: '', resourceVersion: '', creationTimestamp: '' },
  values,
})
const names = fc.constantFrom('a', 'b', 'c')
const values = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 })

test('an index always finds what a search through all objects finds', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.option(values, { nil: undefined }))), changes => {
      const index = new ObjectIndex<Labelled>(object => object.values)
      const all = new Map<string, Labelled>()
      for (const [name, next] of changes) {
        const old = all.get(name)
        if (next === undefined) {
          if (old !== undefined) index.apply({ type: 'DELETED', object: old })
          all.delete(name)
          continue
        }
        const object = objectOf(name, next)
        index.apply(old === undefined ? { type: 'ADDED', object } : { type: 'MODIFIED', object, old })
        all.set(name, object)
      }
      for (const value of ['x', 'y', 'z', 'nothing']) {
        const wanted = [...all.values()]
          .filter(object => object.values.includes(value))
          .map(({ metadata }) => metadata.name)
          .sort()
        expect(
          index
            .lookUp(value)
            .map(({ metadata }) => metadata.name)
            .sort(),
        ).toEqual(wanted)
      }
    }),
  )
})
