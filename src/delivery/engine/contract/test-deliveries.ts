// What is owed of a delivery: one at a time for a service, taken over from who has surely ended.
import { describe, expect, test } from 'vitest'
import { DeployError } from '../../deploy-error.ts'
import type { Taker } from '../ledger.ts'
import { failureOf, type Suite } from './suite.ts'

export function testDeliveries(suite: Suite): void {
  const { newPlace, elsewhere } = suite

  describe('a delivery', () => {
    const taker = (deployer: string, more: Partial<Taker> = {}): Taker => ({
      deployer,
      isGone: () => false,
      waiting: () => {},
      signal: new AbortController().signal,
      ...more,
    })

    test('is one at a time for a service', async () => {
      const place = newPlace()
      const lease = await suite.engine.ledger.take(place, taker('ann'))
      const refused = await failureOf(elsewhere(other => other.ledger.take(place, taker('bob'))))
      expect(refused).toBeInstanceOf(DeployError)
      expect((refused as Error).message).toContain('ann')
      await lease.release()
      expect(lease.lost.aborted).toBe(false)
      await (await suite.engine.ledger.take(place, taker('bob'))).release()
      await (await suite.engine.ledger.take(newPlace(), taker('ann'))).release()
    })

    test('is taken over from who has surely ended, at once', async () => {
      const place = newPlace()
      const left = await suite.engine.ledger.take(place, taker('ann'))
      const lease = await suite.engine.ledger.take(place, taker('bob', { isGone: who => who === 'ann' }))
      await left.release()
      expect(await failureOf(suite.engine.ledger.take(place, taker('eve')))).toBeInstanceOf(DeployError)
      await lease.release()
      await lease.release()
    })
  })
}
