// What is owed of instances: restarted, and as many as wanted.
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../testing/eventually.ts'
import { DeployError } from '../../deploy-error.ts'
import { failureOf, watch, type Suite } from './suite.ts'

export function testInstances(suite: Suite): void {
  const { testOf, newPlace, seen } = suite
  const { workload } = suite.parts

  describe('instances', () => {
    testOf('instances')('are restarted all', async () => {
      const place = newPlace()
      await suite.engine.rollOut(place, workload(place), watch())
      const [before] = (await seen(place))!.instances
      expect(await suite.engine.restart(place, place.service, watch())).toEqual({ state: 'done' })
      await eventually('the old instance is gone', async () => {
        const { instances } = (await seen(place))!
        return instances.length === 1 && instances[0]!.name !== before!.name
      })
      expect(await suite.engine.compare(place, workload(place))).toEqual([])
    })

    test('are as many as they are scaled to', async () => {
      const place = newPlace()
      await suite.engine.rollOut(place, workload(place), watch())
      expect(await suite.engine.scale(place, place.service, 2, watch())).toEqual({ state: 'done' })
      expect(await seen(place)).toMatchObject({ wanted: 2, ready: 2 })
    })

    test('that are not there are neither restarted nor scaled', async () => {
      const place = newPlace()
      expect(await failureOf(suite.engine.restart(place, 'nobody', watch()))).toBeInstanceOf(DeployError)
      expect(await failureOf(suite.engine.scale(place, 'nobody', 2, watch()))).toBeInstanceOf(DeployError)
    })
  })
}
