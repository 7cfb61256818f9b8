// The stored and served forms of an object, and the cache between store and readers.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../api/object.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { CachedObject } from './cached-object.ts'
import { encodeForStore, withRevision } from './object-codec.ts'
import { ObjectStorage } from './object-storage.ts'
import { ResourceCache, type CacheEvent } from './resource-cache.ts'

const meta = (name: string) => ({ name, uid: 'u', resourceVersion: '7', creationTimestamp: '' })

describe('the stored form', () => {
  test('has no revision; the served form has the one it is given', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.nat(), (rest, name, revision) => {
        const { metadata: _mine, kind: _kind, apiVersion: _version, ...more } = rest
        const object = { ...more, apiVersion: 'v1', kind: 'X', metadata: meta(name) } as KubeObject
        const stored = encodeForStore(object)
        expect((JSON.parse(stored.toString()) as KubeObject).metadata.resourceVersion).toBeUndefined()
        const wanted = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
        expect(JSON.parse(withRevision(stored, revision).toString())).toEqual(JSON.parse(JSON.stringify(wanted)))
      }),
    )
  })

  test('keeps the metadata in front of fields whose names are numbers', () => {
    const object = {
      5: { metadata: { a: 1 } },
      apiVersion: 'v1',
      kind: 'X',
      metadata: meta('a'),
    } as unknown as KubeObject
    const served = JSON.parse(withRevision(encodeForStore(object), 9).toString()) as KubeObject
    expect(served).toEqual({ ...object, metadata: { ...object.metadata, resourceVersion: '9' } })
  })

  test('is found in the part of a larger buffer', () => {
    const stored = encodeForStore({ apiVersion: 'v1', kind: 'X', metadata: meta('a') })
    const larger = Buffer.concat([Buffer.from('metadata'), stored, Buffer.from('more')])
    expect(withRevision(larger.subarray(8, 8 + stored.length), 3).equals(withRevision(stored, 3))).toBe(true)
  })
})

test('a cached object is parsed once, and frozen to its depth', () => {
  const cached = new CachedObject('a', 1, Buffer.from('{"metadata":{"labels":{"a":"b"}}}'))
  expect(cached.object).toBe(cached.object)
  expect(Object.isFrozen(cached.object.metadata.labels)).toBe(true)
})

const objectAt = (key: string, revision: number): CachedObject => new CachedObject(key, revision, Buffer.from('{}'))
const keys = fc.constantFrom('a/x', 'a/y', 'a-b/x', 'b/x', 'aa/x', 'a/x-1')

describe('a cache', () => {
  test('is what its changes make it, in the order of keys, and tells every change', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(keys, fc.boolean())), changes => {
        const cache = new ResourceCache(0)
        const model = new Map<string, CachedObject>()
        const told: CacheEvent[] = []
        cache.subscribe(event => told.push(event))
        const expected: string[] = []
        changes.forEach(([key, isDeletion], index) => {
          const object = objectAt(key, index + 1)
          if (isDeletion) {
            if (model.delete(key)) expected.push(`DELETED ${key}`)
            cache.delete(object)
          } else {
            expected.push(`${model.has(key) ? 'MODIFIED' : 'ADDED'} ${key}`)
            model.set(key, object)
            cache.put(object)
          }
        })
        const inOrder = [...model.keys()].sort()
        expect(cache.list().map(({ key }) => key)).toEqual(inOrder)
        expect(cache.list('a').map(({ key }) => key)).toEqual(inOrder.filter(key => key.startsWith('a/')))
        expect(cache.size).toBe(model.size)
        expect(told.map(({ type, current }) => `${type} ${current.key}`)).toEqual(expected)
        expect(cache.since(0)).toEqual(told)
      }),
    )
  })

  test('gives what happened since a revision, exactly', () => {
    const cache = new ResourceCache(10)
    for (const revision of [11, 15, 20]) cache.put(objectAt('a/x', revision))
    expect(cache.since(10).map(event => event.revision)).toEqual([11, 15, 20])
    expect(cache.since(15).map(event => event.revision)).toEqual([20])
    expect(cache.since(20)).toEqual([])
    expect([cache.remembers(10), cache.remembers(9)]).toEqual([true, false])
  })

  test('forgets old changes, and knows that it did', () => {
    const cache = new ResourceCache(0)
    for (let revision = 1; revision <= 10_000; revision++) cache.put(objectAt('a/x', revision))
    expect(cache.remembers(0)).toBe(false)
    const from = cache.oldestRevision
    expect(from).toBeGreaterThan(0)
    expect(cache.since(from).map(event => event.revision)).toEqual(
      Array.from({ length: 10_000 - from }, (_unused, index) => from + 1 + index),
    )
  })

  test('filled at the start tells nobody', () => {
    const cache = new ResourceCache(5)
    cache.subscribe(() => {
      throw new Error('told')
    })
    cache.load(objectAt('b/x', 3))
    cache.load(objectAt('a/x', 4))
    expect(cache.list().map(({ key }) => key)).toEqual(['a/x', 'b/x'])
    expect(cache.since(5)).toEqual([])
  })

  test('does not tell whoever left', () => {
    const cache = new ResourceCache(0)
    let told = 0
    const stop = cache.subscribe(() => told++)
    cache.put(objectAt('a/x', 1))
    stop()
    cache.put(objectAt('a/x', 2))
    expect(told).toBe(1)
  })
})

test('after a restart the changes from before it are remembered, with the states they replaced', async () => {
  const store = new MemoryStore()
  const things = { group: '', plural: 'things' }
  const thing = (name: string, value: string): KubeObject =>
    ({ apiVersion: 'v1', kind: 'Thing', metadata: meta(name), value }) as KubeObject
  const before = await ObjectStorage.open(store)
  const start = before.revision
  const first = await before.put(things, 'a', thing('a', '1'), 0)
  if (!first.ok) throw new Error('not stored')
  const second = await before.put(things, 'a', thing('a', '2'), first.object.revision)
  await before.put(things, 'b', thing('b', '1'), 0)
  if (second.ok) await before.delete(things, second.object)
  await before.put(things, 'a', thing('a', '3'), 0)
  const after = await ObjectStorage.open(store)
  const told = (storage: ObjectStorage) =>
    storage
      .cache(things)
      .since(start)
      .map(({ type, revision, current, previous }) => ({
        type,
        revision,
        current: current.object,
        previous: previous?.object,
      }))
  expect(told(after)).toEqual(told(before))
  expect(told(after).map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'ADDED', 'DELETED', 'ADDED'])
  expect(after.cache(things).remembers(start)).toBe(true)
  await store.compact(before.revision)
  expect((await ObjectStorage.open(store)).cache(things).remembers(start)).toBe(false)
})
