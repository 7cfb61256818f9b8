import { describe, expect, test } from 'vitest'
import type { Pod } from '../api/generated/models.ts'
import { pod } from '../testing/scheduling.ts'
import { PendingPods } from './pending-pods.ts'

const named = (name: string, priority = 0): Pod => pod({ priority }, {}, {}, name)
function drain(pending: PendingPods): string[] {
  const names: string[] = []
  for (let next = pending.next(); next !== undefined; next = pending.next()) names.push(next.metadata.name)
  return names
}

test('higher priority goes first, then who came first', () => {
  const pending = new PendingPods()
  for (const [name, priority] of [
    ['a', 0],
    ['b', 5],
    ['c', -1],
    ['d', 5],
  ] as const)
    pending.add(named(name, priority))
  expect(drain(pending)).toEqual(['b', 'd', 'a', 'c'])
})

test('parked pods wait until something changes', () => {
  const pending = new PendingPods()
  pending.park(named('a'))
  pending.park(named('b'))
  expect(drain(pending)).toEqual([])
  pending.retryAll(({ metadata }) => metadata.name === 'b')
  expect(drain(pending)).toEqual(['b'])
})

describe('a held pod is not tried', () => {
  const hold = (): PendingPods => {
    const pending = new PendingPods()
    pending.hold(named('a'))
    return pending
  }
  test.each<[string, (pending: PendingPods) => void, string[]]>([
    ['while nothing happens, and is parked after that', pending => pending.release('n/a'), []],
    ['before it is released, even if it may fit by then', pending => pending.retryAll(), []],
    [
      'but it is when it was to be tried meanwhile',
      pending => {
        pending.retryAll()
        pending.release('n/a')
      },
      ['a'],
    ],
    [
      'but it is when it changed meanwhile',
      pending => {
        pending.add(named('a'))
        pending.release('n/a')
      },
      ['a'],
    ],
    ['but it is when it is asked for', pending => pending.release('n/a', true), ['a']],
    [
      'again when it was removed meanwhile',
      pending => {
        pending.retryAll()
        pending.remove('n/a')
        pending.release('n/a')
      },
      [],
    ],
  ])('%s', (_, happen, expected) => {
    const pending = hold()
    happen(pending)
    expect(drain(pending)).toEqual(expected)
  })
})
