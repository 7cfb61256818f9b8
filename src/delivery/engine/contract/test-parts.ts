// What is owed of parts: put, compared, changed and removed, each twice; data goes only when that is said.
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../testing/eventually.ts'
import { partName, type Entrance, type Part, type Place, type Route, type Schedule, type Workload } from '../parts.ts'
import { watch, type Suite } from './suite.ts'

export function testParts(suite: Suite): void {
  const { testOf, newPlace, elsewhere, seen } = suite
  const { workload, entrance, route, schedule } = suite.parts

  describe('parts', () => {
    const parts: readonly [string, (place: Place) => Exclude<Part, Workload>, (part: never) => Part][] = [
      ['entrance', entrance, (part: Entrance) => ({ ...part, leadsTo: { track: 'blue' } })],
      ['route', route, (part: Route) => ({ ...part, path: '/' })],
      ['schedule', schedule, (part: Schedule) => ({ ...part, timing: { cron: '0 0 2 1 *' } })],
      [
        'schedule that cron cannot say',
        place => schedule(place, { timing: { start: '2026-01-01T00:00:00Z', everyMinutes: 420 } }),
        (part: Schedule) => ({ ...part, timing: { start: '2026-01-01T01:00:00Z', everyMinutes: 420 } }),
      ],
    ]
    test.for(parts)('a %s is put, compared, changed and removed, each twice', async ([, make, change]) => {
      const place = newPlace()
      const part = make(place)
      const count = async (): Promise<number> => {
        const { entrances, routes, schedules } = await suite.engine.observe(place)
        return [...entrances, ...routes, ...schedules].filter(found => found.name === part.name).length
      }
      if (part.kind === 'route') await suite.engine.put(place, entrance(place), watch())
      expect(await suite.engine.compare(place, part)).toBeUndefined()
      await suite.engine.put(place, part, watch())
      await elsewhere(other => other.put(place, part, watch()))
      expect(await count()).toBe(1)
      expect(await suite.engine.compare(place, part)).toEqual([])
      const changed = change(part as never) as typeof part
      expect(await suite.engine.compare(place, changed)).not.toEqual([])
      await suite.engine.put(place, changed, watch())
      expect(await suite.engine.compare(place, changed)).toEqual([])
      await suite.engine.remove(place, partName(part), watch())
      await elsewhere(other => other.remove(place, partName(part), watch()))
      expect(await count()).toBe(0)
    })

    testOf('weights')('a route leads to several entrances by weight, and back to one, each twice', async () => {
      const place = newPlace()
      const names = ['main', 'canary'].map(track => `${place.service}-${track}`)
      const weighed = (...weights: readonly number[]): Route =>
        route(place, { weights: names.map((name, index) => ({ entrance: name, weight: weights[index]! })) })
      for (const [index, track] of ['main', 'canary'].entries()) {
        await suite.engine.rollOut(place, workload(place, { name: names[index]!, track, serving: false }), watch())
        await suite.engine.put(place, entrance(place, { name: names[index]!, leadsTo: { track } }), watch())
      }
      await suite.engine.put(place, entrance(place), watch())
      await suite.engine.put(place, route(place), watch())
      for (const part of [weighed(90, 10), weighed(50, 50), route(place)]) {
        expect(await suite.engine.compare(place, part)).not.toEqual([])
        expect(await suite.engine.put(place, part, watch())).toEqual({ state: 'done' })
        expect(await elsewhere(other => other.put(place, part, watch()))).toEqual({ state: 'done' })
        expect(await suite.engine.compare(place, part)).toEqual([])
      }
      expect((await suite.engine.observe(place)).routes).toMatchObject([{ name: route(place).name, path: '/api' }])
      await suite.engine.remove(place, partName(route(place)), watch())
      for (const name of names) {
        await suite.engine.remove(place, { kind: 'entrance', name }, watch())
        await suite.engine.remove(place, { kind: 'workload', name }, watch())
      }
    })

    testOf('policies')('a route says who may ask and how much, otherwise, and no more, each twice', async () => {
      const place = newPlace()
      const asked: Partial<Route> = {
        access: {
          allow: ['10.0.0.0/8', 'fd00::1/128'],
          authentication: { kind: 'keys', header: 'X-API-Key' },
          groups: ['partners'],
        },
        limit: { requests: 100, seconds: 60, by: 'consumer' },
      }
      const login = { kind: 'login', issuer: 'http://login.localhost:9', clientId: 'shop' } as const
      const secret = `${place.service}-login`
      const entries = { 'client-secret': Buffer.from('hush').toString('base64') }
      await suite.engine.keep(place, { name: secret, service: place.service, secret: true, entries })
      await suite.engine.put(place, entrance(place), watch())
      const all: readonly Partial<Route>[] = [
        asked,
        { ...asked, limit: { requests: 10, seconds: 1, by: 'address' } },
        { access: { authentication: { kind: 'basic' } } },
        { access: { authentication: login } },
        { access: { authentication: { ...login, secret, scopes: ['groups'], claims: { groups: ['staff'] } } } },
        { access: { deny: ['192.0.2.0/24'] }, limit: { requests: 5, seconds: 3600, by: 'address' } },
        {},
        asked,
      ]
      for (const part of all.map(more => route(place, more))) {
        expect(await suite.engine.compare(place, part)).not.toEqual([])
        expect(await suite.engine.cannot(place, [part])).toEqual([])
        expect(await suite.engine.put(place, part, watch())).toEqual({ state: 'done' })
        expect(await elsewhere(other => other.put(place, part, watch()))).toEqual({ state: 'done' })
        expect(await suite.engine.compare(place, part)).toEqual([])
      }
      await suite.engine.remove(place, partName(route(place)), watch())
      await elsewhere(other => other.remove(place, partName(route(place)), watch()))
      expect(await suite.engine.compare(place, route(place, asked))).toBeUndefined()
      // What is left of it would be for the next one.
      await suite.engine.put(place, route(place), watch())
      expect(await suite.engine.compare(place, route(place))).toEqual([])
      await suite.engine.remove(place, partName(route(place)), watch())
      await suite.engine.dropBundle(place, secret)
    })

    test('a workload is compared and removed, each twice', async () => {
      const place = newPlace()
      expect(await suite.engine.compare(place, workload(place))).toBeUndefined()
      await suite.engine.rollOut(place, workload(place, { instances: 2 }), watch())
      expect(await suite.engine.compare(place, workload(place, { instances: 2 }))).toEqual([])
      expect(await suite.engine.compare(place, workload(place, { instances: 1, version: '2.0.0' }))).not.toEqual([])
      await suite.engine.remove(place, partName(workload(place)), watch())
      await elsewhere(other => other.remove(place, partName(workload(place)), watch()))
      expect(await seen(place)).toBeUndefined()
    })

    test('with data are removed only with it', async () => {
      const place = newPlace()
      const stores = workload(place, {
        name: `${place.service}-postgres`,
        track: 'postgres',
        serving: false,
        update: 'recreate',
        storage: { path: '/data', size: '10Mi' },
      })
      expect(await suite.engine.rollOut(place, stores, watch())).toEqual({ state: 'done' })
      await suite.engine.remove(place, partName(stores), watch())
      expect(await seen(place, stores.name)).toMatchObject({ track: 'postgres', wanted: 1 })
      expect(await suite.engine.holdsData(place, stores.name)).toBe(true)
      // A name within a name is another one.
      await suite.engine.remove(place, partName(workload(place)), watch(), { withData: true })
      expect(await suite.engine.holdsData(place, place.service)).toBe(false)
      expect(await suite.engine.holdsData(place, stores.name)).toBe(true)
      await suite.engine.remove(place, partName(stores), watch(), { withData: true })
      await elsewhere(other => other.remove(place, partName(stores), watch(), { withData: true }))
      expect(await seen(place, stores.name)).toBeUndefined()
      await eventually('the data is gone', async () => !(await suite.engine.holdsData(place, stores.name)))
    })

    test('of another service are not observed', async () => {
      const place = newPlace()
      await suite.engine.put(place, entrance(place), watch())
      expect((await suite.engine.observe(newPlace())).entrances).toEqual([])
    })
  })
}
