import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parse } from 'yaml'
import { describeTiming } from './describe-timing.ts'
import { nextTimes } from './next-times.ts'
import { readTiming } from './read-timing.ts'

type Written = Parameters<typeof readTiming>[0]

const epoch = '1970-01-01T00:00:00Z'
const kyiv = { timeZone: 'Europe/Kyiv' }

describe('what is written becomes a timing', () => {
  it.each<[Written, object]>([
    [{ cron: '15 6 * * 1-5' }, { cron: '15 6 * * 1-5' }],
    [
      { cron: ' 15  6 * * mon-fri ', ...kyiv },
      { cron: '15 6 * * mon-fri', ...kyiv },
    ],
    [{ cron: '@hourly' }, { cron: '0 * * * *' }],
    [
      { cron: '@weekly', ...kyiv },
      { cron: '0 0 * * 0', ...kyiv },
    ],
    [{ cron: '0 0 29 2 *' }, { cron: '0 0 29 2 *' }],
    [{ cron: '0 0 30 2 1' }, { cron: '0 0 30 2 1' }],
    [{ every: 'PT30M' }, { start: epoch, everyMinutes: 30 }],
    [{ every: 'PT7H' }, { start: epoch, everyMinutes: 420 }],
    [{ every: 'PT0.5H' }, { start: epoch, everyMinutes: 30 }],
    [{ every: 'PT120S' }, { start: epoch, everyMinutes: 2 }],
    [{ every: 'P1D' }, { start: epoch, everyMinutes: 1440 }],
    [{ every: 'P1DT12H' }, { start: epoch, everyMinutes: 2160 }],
    [{ every: 'P1W' }, { start: '1970-01-05T00:00:00Z', everyMinutes: 10_080 }],
    [{ every: 'R/PT30M' }, { start: epoch, everyMinutes: 30 }],
    [{ every: 'R/2026-01-01T00:00:00Z/PT7H' }, { start: '2026-01-01T00:00:00Z', everyMinutes: 420 }],
    [{ every: 'R/2026-01-01T00:00Z/PT7H' }, { start: '2026-01-01T00:00:00Z', everyMinutes: 420 }],
    [{ every: 'R5/2026-01-01T00:00:00+02:00/P1D' }, { start: '2025-12-31T22:00:00Z', everyMinutes: 1440, count: 5 }],
    [{ every: 'P1M' }, { cron: '0 0 1 * *' }],
    [
      { every: 'P1M', ...kyiv },
      { cron: '0 0 1 * *', ...kyiv },
    ],
    [{ every: 'P1Y' }, { cron: '0 0 1 1 *' }],
    [{ every: 'R/2026-02-28T06:15:00Z/P3M' }, { cron: '15 6 28 2,5,8,11 *' }],
    [
      { every: 'R/2026-01-01T00:00:00+02:00/P1M', ...kyiv },
      { cron: '0 0 1 * *', ...kyiv },
    ],
    [
      { every: 'P1D', ...kyiv },
      { cron: '0 0 * * *', ...kyiv },
    ],
    [
      { every: 'P1W', ...kyiv },
      { cron: '0 0 * * 1', ...kyiv },
    ],
    [
      { every: 'PT6H', ...kyiv },
      { cron: '0 */6 * * *', ...kyiv },
    ],
    [
      { every: 'PT1M', ...kyiv },
      { cron: '* * * * *', ...kyiv },
    ],
  ])('%j', (written, timing) => {
    expect(readTiming(written)).toEqual({ timing })
  })
})

describe('what is wrong is told, with its field', () => {
  it.each<[Written, Written | undefined, string]>([
    [{}, { every: '' }, 'found neither'],
    [{ every: 'PT1H', cron: '* * * * *' }, { every: '' }, 'found both'],
    [{ cron: '* * * *' }, { cron: '' }, 'expected exactly 5 fields, found 4'],
    [{ cron: '@every 1h' }, { cron: '' }, 'write every: PT1H'],
    [{ cron: 'TZ=Europe/Kyiv 0 0 * * *' }, { cron: '' }, 'write the zone as timeZone'],
    [{ cron: '0 0 30 2 *' }, { cron: '' }, '"0 0 30 2 *" never comes'],
    [{ cron: ', 0 * * *' }, { cron: '' }, 'never comes'],
    [{ cron: '0 0 * * *', timeZone: 'Mars/Base' }, { timeZone: '' }, 'found "Mars/Base"'],
    [{ cron: '0 0 * * *', timeZone: '+02:00' }, { timeZone: '' }, 'found "+02:00"'],
    [{ cron: '0 0 * * *', timeZone: 'Local' }, { timeZone: '' }, 'found "Local"'],
    [{ cron: '0 0 * * *', timeZone: 'europe/berlin' }, { timeZone: '' }, 'did you mean Europe/Berlin?'],
    [{ cron: '0 0 * * *', timeZone: 'europe/kyiv' }, { timeZone: '' }, 'with its capital letters'],
    [{ every: '30m' }, { every: '' }, 'expected a duration such as PT30M'],
    [{ every: 'pt30m' }, { every: '' }, 'expected a duration'],
    [{ every: '-PT30M' }, { every: '' }, 'expected a duration'],
    [{ every: 'PT30M ' }, { every: '' }, 'expected a duration'],
    [{ every: 'P' }, { every: '' }, 'expected a duration'],
    [{ every: 'PT0M' }, { every: '' }, 'expected whole minutes, at least one, found PT0M'],
    [{ every: 'PT90S' }, { every: '' }, 'expected whole minutes, at least one, found PT90S'],
    [{ every: 'P99999D' }, { every: '' }, 'expected at most ten years'],
    [{ every: 'P1M1D' }, { every: '' }, 'without weeks, days and time'],
    [{ every: 'P0.5M' }, { every: '' }, 'expected whole months'],
    [{ every: 'P5M' }, { every: '' }, 'expected 1, 2, 3, 4, 6 or 12 months'],
    [{ every: 'P2Y' }, { every: '' }, 'expected 1, 2, 3, 4, 6 or 12 months'],
    [{ every: 'R/2026-01-31T00:00:00Z/P1M' }, { every: '' }, 'expected a start on day 1 to 28'],
    [{ every: 'R3/2026-01-01T00:00:00Z/P1M' }, { every: '' }, 'expected R without a number'],
    [{ every: 'R0/2026-01-01T00:00:00Z/P1D' }, { every: '' }, 'at least 1, found R0'],
    [{ every: 'R5/P1D' }, { every: '' }, 'expected a start from which R5 counts'],
    [{ every: 'R/2026-01-01/P1D' }, { every: '' }, 'expected a start such as'],
    [{ every: 'R/2026-01-01T00:00:00/P1D' }, { every: '' }, 'with its offset'],
    [{ every: 'R/2026-01-01T00:00:30Z/P1D' }, { every: '' }, 'at a whole minute'],
    [{ every: 'R/2026-02-30T00:00:00Z/P1D' }, { every: '' }, 'that exist'],
    [{ every: 'R/2026-01-01T24:00:00Z/P1D' }, { every: '' }, 'that exist'],
    [{ every: 'R/2026-01-01T00:00:00Z/2026-01-02T00:00:00Z' }, { every: '' }, 'expected a duration'],
    [{ every: 'R/a/b/c' }, { every: '' }, 'expected R/START/DURATION'],
    [{ every: 'P2D', ...kyiv }, { timeZone: '' }, 'no fixed times on the clocks of a zone'],
    [{ every: 'PT7H', ...kyiv }, { timeZone: '' }, 'no fixed times on the clocks of a zone'],
    [
      { every: 'R/2026-01-01T06:15:00+02:00/P1D', ...kyiv },
      { timeZone: '' },
      'for times on the clocks of Europe/Kyiv write cron: "15 6 * * *" instead',
    ],
  ])('%j', (written, field, words) => {
    const found = readTiming(written)
    expect(found).toMatchObject({ field: Object.keys(field!)[0], mistake: expect.stringContaining(words) })
  })
})

const timingOf = (written: Written) => {
  const found = readTiming(written)
  if ('mistake' in found) throw new Error(found.mistake)
  return found.timing
}

describe('the next times', () => {
  it.each<[Written, string, number, string[]]>([
    [{ every: 'PT30M' }, '2026-01-01T00:00:00Z', 2, ['2026-01-01T00:30', '2026-01-01T01:00']],
    [{ every: 'P1W' }, '2026-01-01T00:00:00Z', 1, ['2026-01-05T00:00']],
    [{ every: 'R/2026-01-01T00:00:00Z/PT7H' }, '2020-01-01T00:00:00Z', 2, ['2026-01-01T00:00', '2026-01-01T07:00']],
    [{ every: 'R2/2026-01-01T00:00:00Z/PT7H' }, '2026-01-01T00:00:00Z', 9, ['2026-01-01T07:00']],
    [{ every: 'R2/2026-01-01T00:00:00Z/PT7H' }, '2026-01-02T00:00:00Z', 9, []],
    [{ every: 'P1D', ...kyiv }, '2026-03-28T23:00:00Z', 2, ['2026-03-29T21:00', '2026-03-30T21:00']],
    [{ cron: '0 0 29 2 *' }, '2026-01-01T00:00:00Z', 1, ['2028-02-29T00:00']],
  ])('%j after %s', (written, after, most, times) => {
    const found = nextTimes(timingOf(written), Date.parse(after), most)
    expect(found.map(each => new Date(each).toISOString().slice(0, 16))).toEqual(times)
  })
})

describe('in words', () => {
  it.each<[Written, string]>([
    [{ every: 'PT30M' }, 'every 30 minutes'],
    [{ every: 'PT1H' }, 'every hour'],
    [{ every: 'P2W' }, 'every 2 weeks'],
    [{ every: 'R/2026-01-01T00:00:00Z/PT7H' }, 'every 7 hours from 2026-01-01T00:00Z'],
    [{ every: 'R5/2026-01-01T00:00:00+02:00/P1D' }, '5 times, every day from 2025-12-31T22:00Z'],
    [{ cron: '15 6 * * 1-5', ...kyiv }, 'at 06:15 on Monday to Friday (Europe/Kyiv)'],
    [{ cron: '0 6,18 * * *' }, 'at 06:00 and 18:00 (UTC)'],
    [{ cron: '30 3 * * 0,6' }, 'at 03:30 on Sunday and Saturday (UTC)'],
    [{ every: 'P1M' }, 'at 00:00 on day 1 of every month (UTC)'],
    [{ every: 'P6M' }, 'at 00:00 on day 1 of January and July (UTC)'],
    [{ every: 'PT6H', ...kyiv }, 'every 6 hours (Europe/Kyiv)'],
    [{ cron: '@hourly' }, 'every hour (UTC)'],
    [{ cron: '5 * * * *' }, 'at minute 5 of every hour (UTC)'],
    [{ cron: '*/5 9-17 * * 1-5' }, 'cron */5 9-17 * * 1-5 (UTC)'],
    [{ cron: '0 0 13 * 5' }, 'cron 0 0 13 * 5 (UTC)'],
  ])('%j', (written, words) => {
    expect(describeTiming(timingOf(written))).toBe(words)
  })
})

describe('the table of docs/schedules.md', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/schedules.md'), 'utf8')
  const rows = [...guide.matchAll(/^\| `([^`]+:[^`]+)` \| (.*) \|$/gm)].map(([, written, words]) => [written!, words!])

  test('has rows', () => expect(rows.length).toBeGreaterThan(10))

  it.each(rows)('%s: %s', (written, words) => {
    expect(describeTiming(timingOf(parse(`{ ${written} }`) as Written))).toBe(words)
  })
})

describe('for anything that is written', () => {
  const after = fc.integer({ min: Date.parse('2000-01-01'), max: Date.parse('2099-01-01') })

  test('there is a timing that comes, or a mistake', () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^R?\d?\/?P?T?[0-9.]{1,5}[YMWDHS]$/),
      fc.stringMatching(/^([*?,]|[0-9]{1,2})(\/[0-9])?( ([*,]|[0-9]{1,2})){4}$/),
    )
    fc.assert(
      fc.property(text, fc.constantFrom('every', 'cron'), after, (written, field, afterMs) => {
        const found = readTiming({ [field]: written })
        if ('mistake' in found) {
          expect(found.mistake).not.toBe('')
          return
        }
        expect(describeTiming(found.timing)).not.toBe('')
        const times = nextTimes(found.timing, afterMs, 3)
        expect(times).toEqual([...new Set(times)].sort((left, right) => left - right))
        expect(times.every(each => each > afterMs && each % 60_000 === 0)).toBe(true)
      }),
    )
  })

  test('none of the times of a period is left out or doubled, wherever one looks from', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50_000 }),
        fc.integer({ min: 1, max: 20 }),
        after,
        (minutes, count, fromMs) => {
          const start = new Date(Math.floor(fromMs / 60_000) * 60_000).toISOString()
          const timing = timingOf({ every: `R${count}/${start}/PT${minutes}M` })
          const all = nextTimes(timing, 0, 100)
          expect(all).toEqual(
            Array.from({ length: count }, (_unused, index) => Date.parse(start) + index * minutes * 60_000),
          )
          for (const [index, time] of all.entries()) {
            expect(nextTimes(timing, time, 100)).toEqual(all.slice(index + 1))
            expect(nextTimes(timing, time - 1, 100)).toEqual(all.slice(index))
          }
        },
      ),
    )
  })

  test('a period says the same as a cron line where both can', () => {
    fc.assert(
      fc.property(fc.constantFrom('PT1M', 'PT15M', 'PT1H', 'PT6H', 'P1D', 'P1W'), after, (every, afterMs) => {
        const asCron = timingOf({ every, timeZone: 'UTC' })
        expect('cron' in asCron).toBe(true)
        expect(nextTimes(asCron, afterMs, 5)).toEqual(nextTimes(timingOf({ every }), afterMs, 5))
      }),
    )
  })
})
