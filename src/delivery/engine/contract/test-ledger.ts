// What is owed of the ledger: each revision once, and only who read the newest writes.
import { describe, expect, test } from 'vitest'
import { LedgerConflict } from '../ledger.ts'
import { failureOf, type Suite } from './suite.ts'

export function testLedger(suite: Suite): void {
  const { newPlace, elsewhere } = suite

  describe('the ledger', () => {
    const entry = (revision: number, state = 'pending') => ({
      revision,
      state,
      content: { version: `1.0.${revision}`, many: Array.from({ length: 500 }, () => 'the same again') },
    })

    test('lists what was added, newest first', async () => {
      const place = newPlace()
      expect(await suite.engine.ledger.list(place)).toEqual([])
      for (const revision of [1, 2, 10]) await suite.engine.ledger.add(place, entry(revision))
      const listed = await elsewhere(other => other.ledger.list(place))
      expect(listed.map(({ mark: _mark, ...rest }) => rest)).toEqual([10, 2, 1].map(revision => entry(revision)))
      expect(await suite.engine.ledger.list(newPlace())).toEqual([])
    })

    test('takes a revision once', async () => {
      const place = newPlace()
      const added = await Promise.allSettled(
        Array.from({ length: 5 }, () => elsewhere(other => other.ledger.add(place, entry(1)))),
      )
      expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const result of added) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LedgerConflict)
    })

    test('lets only one write who read the newest', async () => {
      const place = newPlace()
      const first = await suite.engine.ledger.add(place, entry(1))
      const second = await suite.engine.ledger.write(place, { ...first, state: 'deployed' })
      expect(second.mark).not.toBe(first.mark)
      expect(await failureOf(suite.engine.ledger.write(place, { ...first, state: 'failed' }))).toBeInstanceOf(
        LedgerConflict,
      )
      expect(await suite.engine.ledger.list(place)).toEqual([second])
      await suite.engine.ledger.write(place, { ...second, content: 'other' })
      expect((await suite.engine.ledger.list(place))[0]).toMatchObject({ state: 'deployed', content: 'other' })
    })

    test('removes, twice; what is gone is not written', async () => {
      const place = newPlace()
      const added = await suite.engine.ledger.add(place, entry(1))
      await suite.engine.ledger.remove(place, 1)
      await suite.engine.ledger.remove(place, 1)
      expect(await failureOf(suite.engine.ledger.write(place, added))).toBeInstanceOf(LedgerConflict)
      expect(await suite.engine.ledger.list(place)).toEqual([])
    })
  })
}
