import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import type { ClusterPlaces } from './data-directory.ts'
import { openStore, rememberedStore } from './open-store.ts'

const data = mkdtempSync(join(tmpdir(), 'sampan-open-store-'))
const places = { name: 'test', data, keys: join(data, 'keys'), database: join(data, 'store.db') } as ClusterPlaces
afterAll(() => rmSync(data, { recursive: true }))

test('the store of the first start is remembered, and another kind is refused in one sentence', async () => {
  const clock = new FakeClock()
  expect(rememberedStore(places)).toBeUndefined()
  await expect(openStore(places, { store: 'mysql' }, clock)).rejects.toThrow(
    /expected --store sqlite, or --store etcd=/,
  )
  const store = await openStore(places, undefined, clock)
  await store.put('/registry/core/secrets/a/b', Buffer.from('hidden'), 0)
  await store.close()
  expect(rememberedStore(places)).toEqual({ store: 'sqlite' })
  await expect(openStore(places, { store: 'etcd=http://127.0.0.1:2379' }, clock)).rejects.toThrow(
    /"test" keeps its objects in SQLite, not in etcd; leave --store out/,
  )
  const again = await openStore(places, { store: 'sqlite' }, clock)
  expect(Buffer.from((await again.get('/registry/core/secrets/a/b'))!.value).toString()).toBe('hidden')
  await again.close()
})
