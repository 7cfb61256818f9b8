// Backups of a store that is being written to, what a restore brings back, and every refusal.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { FakeClock } from '../../testing/fake-clock.ts'
import type { Store } from '../../store/store.ts'
import { CompactedError } from '../../store/store.ts'
import { placesOf } from '../data-directory.ts'
import { openStore } from '../open-store.ts'
import { backup, restore } from './backup.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-backup-'))
const name = `backup-${process.pid}`
const places = placesOf(name, join(directory, 'data'))
const elsewhere = join(directory, 'elsewhere')
const file = join(directory, 'cluster.backup')
const options = { name, dataDir: places.data }
const secret = '/registry/core/secrets/default/s'

let store: Store
beforeAll(async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  vi.spyOn(console, 'log').mockReturnValue()
  mkdirSync(places.data)
  writeFileSync(
    join(places.data, 'cluster.json'),
    JSON.stringify({ format: 1, name, nodeName: 'n', network: { podCidr: '10.42.0.0/16' } }),
  )
  store = await openStore(places, undefined, new FakeClock())
  await store.put(secret, Buffer.from('hidden'), 0)
})
afterAll(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

test('a backup taken under writers is one moment of the store, and brings it back elsewhere', async () => {
  let running = true
  let written = 0
  // Each round writes /a before /b, so at any moment /a is the same or one ahead.
  const writing = (async () => {
    let [first, second] = [0, 0]
    for (; running; written++) {
      const one = await store.put('/registry/a', Buffer.from(String(written)), first)
      const two = await store.put('/registry/b', Buffer.from(String(written)), second)
      if (one.ok && two.ok) [first, second] = [one.revision, two.revision]
    }
  })()
  await vi.waitFor(() => expect(written).toBeGreaterThan(20))
  await backup(file, options)
  running = false
  await writing
  expect(statSync(file).mode & 0o777).toBe(0o600)

  await restore(file, { name, dataDir: elsewhere })
  const restored = await openStore(placesOf(name, elsewhere), undefined, new FakeClock())
  expect(Buffer.from((await restored.get(secret))!.value).toString()).toBe('hidden')
  const [a, b] = (await restored.range('/registry/', {})).entries
    .filter(({ key }) => key.length < 12)
    .map(({ value }) => Number(Buffer.from(value)))
  expect(a! - b!).toBeGreaterThanOrEqual(0)
  expect(a! - b!).toBeLessThanOrEqual(1)
  const before = await store.currentRevision()
  expect(await restored.currentRevision()).toBeGreaterThan(before)
  await expect(restored.watch('/', before, () => {})).rejects.toBeInstanceOf(CompactedError)
  expect((await restored.put('/registry/new', Buffer.from('1'), 0)).ok).toBe(true)
  await restored.close()
})

test('nothing is overwritten without --force', async () => {
  await expect(backup(file, options)).rejects.toThrow(
    /is there already; choose another name, or replace it with --force/,
  )
  await backup(file, { ...options, force: true })
  await expect(restore(file, { name, dataDir: elsewhere })).rejects.toThrow(
    /has data in .*; put the backup in its place with --force/,
  )
  await restore(file, { name, dataDir: elsewhere, force: true })
})

test('each refusal is one sentence, and changes nothing', async () => {
  const before = readFileSync(join(elsewhere, 'store.db'))
  const damaged = join(directory, 'damaged')
  const bytes = Buffer.from(readFileSync(file))
  bytes.fill(0x55, bytes.length / 2, bytes.length / 2 + 4096)
  writeFileSync(damaged, bytes)
  await expect(restore(damaged, { name, dataDir: elsewhere, force: true })).rejects.toThrow(
    /is no backup of a cluster, or is damaged .*; nothing was changed/,
  )
  writeFileSync(damaged, 'something else'.repeat(1000))
  await expect(restore(damaged, { name, dataDir: elsewhere, force: true })).rejects.toThrow(/is no backup of a cluster/)
  await expect(restore(join(directory, 'none'), { name, dataDir: elsewhere })).rejects.toThrow(
    /expected a backup in .*, found nothing/,
  )
  await expect(restore(file, { name: `${name}x`, dataDir: join(directory, 'third') })).rejects.toThrow(
    /is a backup of the cluster .*; restore it with --name/,
  )
  await expect(backup(join(directory, 'no/such/file'), options)).rejects.toThrow(/does not exist; make it first/)
  await expect(backup(file, { name, dataDir: join(directory, 'fourth') })).rejects.toThrow(/there is no cluster/)
  expect(readFileSync(join(elsewhere, 'store.db')).equals(before)).toBe(true)
  chmodSync(file, 0o600)
})
