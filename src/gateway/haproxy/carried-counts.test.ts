import fc from 'fast-check'
import { expect, test } from 'vitest'
import { carriedOver, countsIn, type Carried } from './carried-counts.ts'

test('counts are read from what HAProxy says', () => {
  const said = [
    '# table: lim, type: ipv6, size:100000, used:3',
    '0x5561ed908c70: key=::ffff:10.0.0.1 use=0 exp=119923 gpc0=0 gpc0_rate(60000)=7',
    '0x5561ed909420: key=c:1f use=1 exp=119833 gpc0=1 gpc0_rate(60000)=40',
    '0x5561ed909421: key=all use=0 exp=1 gpc0=3 gpc0_rate(60000)=0',
  ].join('\n')
  expect([...countsIn(said)]).toEqual([
    ['::ffff:10.0.0.1', 7],
    ['c:1f', 40],
  ])
})

const periodMs = 1_000

test('a count goes over whole, and fades when nobody asks any more, however often there is a load', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
      (count, waits) => {
        let carried: Carried = new Map()
        let counts = new Map([['a', count]]) as ReadonlyMap<string, number>
        let nowMs = 0
        for (const wait of [0, ...waits]) {
          nowMs += wait
          ;({ counts, carried } = carriedOver(counts, carried, { nowMs, periodMs }))
          const left = counts.get('a') ?? 0
          expect(left).toBe(Math.max(0, Math.floor(count * (1 - nowMs / periodMs))))
          if (left === 0) break
        }
      },
    ),
  )
})

test('who asks on is counted on', () => {
  const first = carriedOver(new Map([['a', 10]]), new Map(), { nowMs: 0, periodMs })
  const second = carriedOver(new Map([['a', 12]]), first.carried, { nowMs: 500, periodMs })
  expect(second.counts.get('a')).toBe(12)
})
