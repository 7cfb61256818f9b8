// What is owed of a place: it is made ready, and told beforehand what it cannot take.
import { describe, expect, test } from 'vitest'
import { watch, type Suite } from './suite.ts'

export function testPlaces(suite: Suite): void {
  const { newPlace } = suite
  const { workload, entrance, route, schedule } = suite.parts

  describe('a place', () => {
    test('that is prepared again is as empty as before', async () => {
      const place = newPlace()
      await suite.engine.prepare(place)
      expect(await suite.engine.prepare(place)).toBe(false)
      expect(await suite.engine.observe(place)).toEqual({ workloads: [], entrances: [], schedules: [], routes: [] })
    })

    suite.testOf('rooms')(
      'is told to be new by whoever makes its room, and is new again when that was taken away',
      async () => {
        const place = { ...newPlace(), namespace: `${newPlace().namespace}-${newPlace().service}` }
        expect(await suite.engine.prepare(place)).toBe(true)
        expect(await suite.engine.prepare(place)).toBe(false)
        expect(await suite.engine.removeRoom(place.environment, place.namespace, watch())).toBe('removed')
        expect(await suite.engine.prepare(place)).toBe(true)
        await suite.engine.removeRoom(place.environment, place.namespace, watch())
      },
    )

    test('takes what is to come, as far as can be known', async () => {
      const place = newPlace()
      const parts = [workload(place), entrance(place), schedule(place), route(place)]
      expect((await suite.engine.cannot(place, parts)).filter(({ hard }) => hard)).toEqual([])
    })

    test('is as empty as before when it was asked what cannot be done there', async () => {
      const place = newPlace()
      await suite.engine.cannot(place, [workload(place), entrance(place), schedule(place), route(place)])
      expect(await suite.engine.observe(place)).toEqual({ workloads: [], entrances: [], schedules: [], routes: [] })
    })

    test('says how requests are shared, and why so', async () => {
      const sharing = await suite.engine.sharing()
      expect(sharing).toEqual(
        suite.lacks.includes('weights')
          ? { by: 'instances', because: expect.stringMatching(/\w+ \w+/) as string }
          : { by: 'weights' },
      )
    })
  })
}
