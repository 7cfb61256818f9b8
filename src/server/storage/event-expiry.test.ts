import { expect, test } from 'vitest'
import type { KubeObject } from '../../api/object.ts'
import { events } from '../../api/resources.ts'
import { silentLogger } from '../../lib/logger.ts'
import { formatTime } from '../../lib/clock.ts'
import { MemoryStore } from '../../store/memory-store.ts'
import { FakeClock } from '../../testing/fake-clock.ts'
import { ObjectStorage } from './object-storage.ts'
import { startEventExpiry } from './event-expiry.ts'

const minutes = 60_000

test('an event goes an hour after it was written last, also when the server was restarted meanwhile', async () => {
  const clock = new FakeClock()
  const store = new MemoryStore()
  const write = async (storage: ObjectStorage, name: string): Promise<void> => {
    const before = storage.get(events, `default/${name}`)
    await storage.put(
      events,
      `default/${name}`,
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace: 'default', name, uid: 'u', creationTimestamp: '' },
        lastTimestamp: formatTime(clock.now()),
      } as unknown as KubeObject,
      before?.revision ?? 0,
    )
  }
  const first = await ObjectStorage.open(store)
  const stopFirst = startEventExpiry(first, { clock, logger: silentLogger })
  const names = (storage: ObjectStorage): string[] =>
    storage
      .cache(events)
      .list()
      .map(({ key }) => key)
  await write(first, 'once')
  await write(first, 'again')
  await clock.advance(30 * minutes)
  await write(first, 'again')
  await clock.advance(29 * minutes)
  expect(names(first)).toEqual(['default/again', 'default/once'])
  await clock.advance(2 * minutes)
  expect(names(first)).toEqual(['default/again'])
  stopFirst()
  const second = await ObjectStorage.open(store)
  const stopSecond = startEventExpiry(second, { clock, logger: silentLogger })
  await clock.advance(27 * minutes)
  expect(names(second)).toEqual(['default/again'])
  await clock.advance(4 * minutes)
  expect(names(second)).toEqual([])
  stopSecond()
})
