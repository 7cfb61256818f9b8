// Somebody works on a service, again and again: what was there before is there afterwards, and so is the way back from it.
import { describe, expect, test } from 'vitest'
import { MemoryDelivery, plainManifest } from '../testing/memory-delivery.ts'
import { endDevelopment } from './end-development.ts'
import { keptOf, releaseBefore } from './history.ts'
import type { RecordedRelease, Release } from './release.ts'

const release = (revision: number, more: Partial<Release>): Release =>
  ({ revision, version: `${revision}.0.0`, state: 'superseded', ...more }) as Release

/** Releases 1 and 2, and after them somebody worked `times` times. */
function worked(times: number): Release[] {
  const sessions = Array.from({ length: times }, (_session, index) => [
    release(3 + 2 * index, { version: 'dev', development: true }),
    release(4 + 2 * index, { version: '2.0.0', rollbackTo: 2, endsDevelopment: true }),
  ]).flat()
  const all = [release(1, {}), release(2, {}), ...sessions]
  return [...all.slice(0, -1), { ...all.at(-1)!, state: 'deployed' as const }].toReversed()
}

const before = (releases: readonly Release[]): number | undefined =>
  releaseBefore({
    releases: releases.map(content => ({ revision: content.revision, content }) as RecordedRelease),
    present: releases.find(({ state }) => state === 'deployed'),
    pending: undefined,
    nextRevision: 99,
  })?.revision

test.each([1, 2, 20])('%i times', times => {
  const kept = keptOf(worked(times))
  expect(kept.map(({ revision }) => revision)).toEqual([2 + 2 * times, 2, 1])
  expect(before(kept)).toBe(1)
})

test('while somebody works on it, the release from before is the one to go back to', () => {
  const releases = [release(3, { state: 'deployed', development: true }), release(2, {}), release(1, {})]
  expect(before(keptOf(releases))).toBe(2)
})

describe('ending the work on a service', () => {
  const work = (delivery: MemoryDelivery): Promise<unknown> => delivery.develop(plainManifest)
  const end = (delivery: MemoryDelivery): ReturnType<typeof endDevelopment> =>
    delivery.work(options => endDevelopment(delivery.place, { ...options, development: true }))
  const running = async (delivery: MemoryDelivery): Promise<string | undefined> =>
    (await delivery.releases()).find(({ state }) => state === 'deployed')?.version

  test('brings back what was there, and a second end that nothing was delivered before changes nothing', async () => {
    const delivery = new MemoryDelivery()
    await delivery.deploy(plainManifest, '1.0.0')
    await delivery.deploy(plainManifest, '2.0.0')
    await work(delivery)
    expect(await end(delivery)).toMatchObject({ state: 'back', version: '2.0.0' })
    expect(await end(delivery)).toMatchObject({ state: 'untouched', present: { version: '2.0.0' } })
    await work(delivery)
    expect(await end(delivery)).toMatchObject({ state: 'back', version: '2.0.0' })
    expect(await running(delivery)).toBe('2.0.0')
  })

  test('leaves the only release that there was', async () => {
    const delivery = new MemoryDelivery()
    await delivery.deploy(plainManifest, '1.0.0')
    await work(delivery)
    await end(delivery)
    expect(await end(delivery)).toMatchObject({ state: 'untouched', present: { version: '1.0.0' } })
    expect(await running(delivery)).toBe('1.0.0')
  })

  test('takes away what came with it', async () => {
    const delivery = new MemoryDelivery()
    await work(delivery)
    expect(await end(delivery)).toEqual({ state: 'gone', kept: [] })
    expect(await delivery.releases()).toEqual([])
    expect(await end(delivery)).toEqual({ state: 'untouched', present: undefined })
  })
})
