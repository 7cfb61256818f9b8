import { expect, test } from 'vitest'
import { InFlight } from './in-flight.ts'

test('the same question is asked once until it is answered, also badly', async () => {
  const inFlight = new InFlight()
  let asked = 0
  const ask = async (): Promise<number> => {
    asked++
    if (asked === 2) throw new Error('away')
    return asked
  }
  expect(await Promise.all([inFlight.ask('a', ask), inFlight.ask('a', ask)])).toEqual([1, 1])
  const both = await Promise.allSettled([inFlight.ask('a', ask), inFlight.ask('a', ask)])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await Promise.all([inFlight.ask('a', ask), inFlight.ask('b', ask)])).toEqual([3, 4])
})
