// What is owed of a place: it is made ready, and told beforehand what it cannot take.
import { describe, expect, test } from 'vitest'
import type { Suite } from './suite.ts'

export function testPlaces(suite: Suite): void {
  const { newPlace } = suite
  const { workload, entrance, route, schedule } = suite.parts

  describe('a place', () => {
    test('that is prepared again is as empty as before', async () => {
      const place = newPlace()
      await suite.engine.prepare(place)
      await suite.engine.prepare(place)
      expect(await suite.engine.observe(place)).toEqual({ workloads: [], entrances: [], schedules: [], routes: [] })
    })

    test('takes what is to come, as far as can be known', async () => {
      const place = newPlace()
      const parts = [workload(place), entrance(place), schedule(place), route(place)]
      expect((await suite.engine.cannot(place, parts)).filter(({ hard }) => hard)).toEqual([])
    })
  })
}
