// The contract suite: every store backend runs it. `open` gives a fresh, empty store; `reopen`, where the
// backend is durable, opens the same data again.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CompactedError, type Store, type StoreEvent } from './store.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array): string => new TextDecoder().decode(value)

export interface StoreFactory {
  open(): Promise<Store>
  /** Absent: the backend keeps nothing. */
  reopen?: (store: Store) => Promise<Store>
}

export function testStore(name: string, factory: StoreFactory): void {
  describe(`store contract: ${name}`, () => {
    let store: Store
    beforeEach(async () => {
      store = await factory.open()
    })
    afterEach(() => store.close())

    async function put(key: string, value: string, expected = 0): Promise<number> {
      const result = await store.put(key, bytes(value), expected)
      if (!result.ok) throw new Error(`put ${key} failed`)
      return result.revision
    }

    test('a write is read back with its revision', async () => {
      const revision = await put('/a', '1')
      expect(await store.get('/a')).toMatchObject({ key: '/a', revision })
      expect(text((await store.get('/a'))!.value)).toBe('1')
      expect(await store.get('/b')).toBeUndefined()
    })

    test('creating what exists fails and shows what is there', async () => {
      const revision = await put('/a', '1')
      const result = await store.put('/a', bytes('2'), 0)
      expect(result.ok).toBe(false)
      expect(result.ok ? undefined : result.current?.revision).toBe(revision)
    })

    test('compare-and-swap refuses a stale revision', async () => {
      const first = await put('/a', '1')
      const second = await put('/a', '2', first)
      expect(second).toBeGreaterThan(first)
      expect((await store.put('/a', bytes('3'), first)).ok).toBe(false)
      expect(text((await store.get('/a'))!.value)).toBe('2')
    })

    test('deleting needs the current revision; a missing key cannot be deleted', async () => {
      const revision = await put('/a', '1')
      expect((await store.delete('/a', revision + 7)).ok).toBe(false)
      expect((await store.delete('/a', revision)).ok).toBe(true)
      expect(await store.get('/a')).toBeUndefined()
      expect((await store.delete('/a', 0)).ok).toBe(false)
    })

    test('of many writers that expect the same revision exactly one wins', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_unused, index) => store.put('/a', bytes(String(index)), 0)),
      )
      expect(results.filter(result => result.ok)).toHaveLength(1)
    })

    test('revisions count every write by one, across keys', async () => {
      const revisions = await Promise.all(Array.from({ length: 50 }, (_unused, index) => put(`/k/${index}`, 'v')))
      const sorted = [...revisions].sort((left, right) => left - right)
      expect(sorted.map((revision, index) => revision - index)).toEqual(sorted.map(() => sorted[0]))
      expect(await store.currentRevision()).toBe(sorted.at(-1))
    })

    test('range gives keys of the prefix in byte order, in pages', async () => {
      for (const key of ['/p/b', '/p/a', '/p/c/d', '/q/a', '/p']) await put(key, key)
      const all = await store.range('/p/')
      expect(all.entries.map(entry => entry.key)).toEqual(['/p/a', '/p/b', '/p/c/d'])
      const page = await store.range('/p/', { limit: 2 })
      expect(page).toMatchObject({ more: true, count: 3 })
      expect((await store.range('/p/', { limit: 2, from: '/p/b\0' })).entries.map(entry => entry.key)).toEqual([
        '/p/c/d',
      ])
    })

    test('range at a revision is a snapshot', async () => {
      const first = await put('/p/a', '1')
      const snapshot = await put('/p/b', '1')
      await put('/p/a', '2', first)
      await store.delete('/p/b', snapshot)
      await put('/p/c', '1')
      const past = await store.range('/p/', { revision: snapshot })
      expect(past.entries.map(entry => [entry.key, text(entry.value)])).toEqual([
        ['/p/a', '1'],
        ['/p/b', '1'],
      ])
      expect(past.revision).toBe(snapshot)
    })

    test('watch delivers everything after a revision, then live, in order and once', async () => {
      const first = await put('/w/a', '1')
      await put('/w/a', '2', first)
      await put('/x/other', '1')
      const events: StoreEvent[] = []
      const watch = await store.watch('/w/', first, batch => void events.push(...batch))
      const third = await put('/w/b', '3')
      await store.delete('/w/b', third)
      await until(() => events.length >= 3)
      expect(events.map(event => [event.type, event.entry.key])).toEqual([
        ['put', '/w/a'],
        ['put', '/w/b'],
        ['delete', '/w/b'],
      ])
      expect(events.map(event => event.previousRevision)).toEqual([first, 0, third])
      watch.close()
      await put('/w/c', '4')
      expect(events).toHaveLength(3)
    })

    test('a watcher sees a write no later than the writer', async () => {
      let seen = 0
      const watch = await store.watch('/', 0, batch => {
        seen = batch.at(-1)!.entry.revision
      })
      for (let index = 0; index < 20; index++) {
        const revision = await put(`/n/${index}`, 'v')
        expect(seen).toBeGreaterThanOrEqual(revision)
      }
      watch.close()
    })

    test('compaction forgets history and keeps what is current', async () => {
      const first = await put('/c/a', '1')
      const second = await put('/c/a', '2', first)
      const gone = await put('/c/b', '1')
      await store.delete('/c/b', gone)
      const now = await store.currentRevision()
      await store.compact(now)
      expect(text((await store.get('/c/a'))!.value)).toBe('2')
      await expect(store.range('/c/', { revision: second })).rejects.toBeInstanceOf(CompactedError)
      await expect(store.watch('/c/', first, () => {})).rejects.toBeInstanceOf(CompactedError)
      const events: StoreEvent[] = []
      await store.watch('/c/', now, batch => void events.push(...batch))
      await put('/c/d', '1')
      expect(events).toHaveLength(1)
    })

    test('the state as of the compacted revision stays readable', async () => {
      const first = await put('/c/a', '1')
      const kept = await put('/c/b', '1')
      await put('/c/a', '2', first)
      await store.delete('/c/b', kept)
      await store.compact(kept)
      expect(
        (await store.range('/c/', { revision: kept })).entries.map(entry => [entry.key, text(entry.value)]),
      ).toEqual([
        ['/c/a', '1'],
        ['/c/b', '1'],
      ])
      expect((await store.range('/c/')).entries.map(entry => [entry.key, text(entry.value)])).toEqual([['/c/a', '2']])
      await store.compact(first)
    })

    test('history shows each event with what was there before, as far back as asked and kept', async () => {
      const first = await put('/h/a', '1')
      await put('/other', '1')
      const second = await put('/h/a', '2', first)
      const deleted = await store.delete('/h/a', second)
      const again = await put('/h/a', '3')
      await put('/h/b', 'later')
      const shown = async (limit: number) =>
        (await store.history('/h/', again, limit)).events.map(event => [
          event.type,
          event.entry.revision,
          text(event.entry.value),
          event.previousRevision,
          event.previous && text(event.previous.value),
          event.previous?.revision,
        ])
      const all = [
        ['put', first, '1', 0, undefined, undefined],
        ['put', second, '2', first, '1', first],
        ['delete', deleted.ok && deleted.revision, '', second, '2', second],
        ['put', again, '3', 0, undefined, undefined],
      ]
      expect(await shown(100)).toEqual(all)
      expect(await shown(2)).toEqual(all.slice(2))
      await store.compact(first)
      expect(await store.history('/h/', again, 100)).toMatchObject({ afterRevision: first })
      expect(await shown(100)).toEqual(all.slice(1))
    })

    const { reopen } = factory
    if (reopen === undefined) return
    test('what was acknowledged is there after opening again, and revisions go on', async () => {
      await put('/r/a', '1')
      const last = await put('/r/b', '2')
      await store.delete('/r/b', last)
      const before = await store.currentRevision()
      store = await reopen(store)
      expect((await store.range('/r/')).entries.map(entry => entry.key)).toEqual(['/r/a'])
      expect(await store.currentRevision()).toBe(before)
      expect(await put('/r/c', '3')).toBe(before + 1)
      const events: StoreEvent[] = []
      await store.watch('/r/', last, batch => void events.push(...batch))
      expect(events.map(event => event.type)).toEqual(['delete', 'put'])
    })
  })
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !condition(); turn++) await new Promise(resolve => setImmediate(resolve))
}
