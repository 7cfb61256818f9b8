// What is owed of a bundle: kept byte by byte under its name, never replaced, dropped twice.
import { describe, expect, test } from 'vitest'
import type { Bundle, Place } from '../parts.ts'
import type { Suite } from './suite.ts'

export function testBundles(suite: Suite): void {
  const { newPlace, elsewhere } = suite

  describe('a bundle', () => {
    const bundle = ({ service }: Place, secret: boolean, content: string | Buffer): Bundle => ({
      name: `${service}-files-1`,
      service,
      secret,
      entries: { 'a.txt': Buffer.from(content).toString('base64'), empty: '' },
    })

    test.for([
      [true, 'text'],
      [false, 'text'],
      [true, Buffer.from([0xff, 0, 0x80])],
      [false, Buffer.from([0xff, 0, 0x80])],
    ] as const)('is kept byte by byte (secret: %s)', async ([secret, content]) => {
      const place = newPlace()
      const kept = bundle(place, secret, content)
      await suite.engine.keep(place, kept)
      expect(await elsewhere(other => other.readBundle(place, kept.name))).toEqual(kept)
      expect(await suite.engine.bundles(place)).toEqual([kept.name])
    })

    test('is never replaced', async () => {
      const place = newPlace()
      await suite.engine.keep(place, bundle(place, true, 'first'))
      await suite.engine.keep(place, bundle(place, true, 'second'))
      expect(await suite.engine.readBundle(place, bundle(place, true, '').name)).toEqual(bundle(place, true, 'first'))
    })

    test('is dropped, twice, and one that is not there has no content', async () => {
      const place = newPlace()
      const { name: dropped } = bundle(place, false, '')
      await suite.engine.keep(place, bundle(place, false, 'x'))
      await suite.engine.dropBundle(place, dropped)
      await elsewhere(other => other.dropBundle(place, dropped))
      expect(await suite.engine.readBundle(place, dropped)).toBeUndefined()
      expect(await suite.engine.bundles(place)).toEqual([])
    })

    test('is of its service alone', async () => {
      const place = newPlace()
      await suite.engine.keep(place, bundle(place, false, 'x'))
      expect(await suite.engine.bundles(newPlace())).toEqual([])
    })
  })
}
