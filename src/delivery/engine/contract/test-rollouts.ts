// What is owed of a rollout: it ends when instances serve, or with the reason why they will not, and whoever comes next
// mends it.
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../testing/eventually.ts'
import { partName, type Workload } from '../parts.ts'
import { port } from './part-builders.ts'
import { failureOf, watch, type Suite } from './suite.ts'

export function testRollouts(suite: Suite): void {
  const { testOf, newPlace, elsewhere, seen } = suite
  const { workload } = suite.parts

  describe('a rollout', () => {
    test('ends when every instance serves, and a second one finds it done', async () => {
      const place = newPlace()
      const wanted = workload(place, { instances: 2 })
      expect(await suite.engine.rollOut(place, wanted, watch())).toEqual({ state: 'done' })
      expect(await elsewhere(other => other.rollOut(place, wanted, watch()))).toEqual({ state: 'done' })
      const serving = { version: '1.0.0', ready: true, restarts: 0 }
      expect(await seen(place)).toMatchObject({
        track: 'main',
        version: '1.0.0',
        image: suite.processes.serves.image,
        wanted: 2,
        ready: 2,
        autoscaled: false,
        instances: [serving, serving],
      })
    })

    test('replaces the instances by those of the next version', async () => {
      const place = newPlace()
      await suite.engine.rollOut(place, workload(place, { instances: 2 }), watch())
      await suite.engine.rollOut(place, workload(place, { version: '2.0.0' }), watch())
      await eventually('the old instances are gone', async () => (await seen(place))?.instances.length === 1)
      expect(await seen(place)).toMatchObject({ version: '2.0.0', wanted: 1, instances: [{ version: '2.0.0' }] })
    })

    test('that was left in the middle is finished by the next', async () => {
      const place = newPlace()
      const killed = new AbortController()
      const begun = suite.engine.rollOut(
        place,
        workload(place),
        watch({ signal: killed.signal, progress: () => killed.abort(new Error('killed')) }),
      )
      await failureOf(begun)
      expect(await elsewhere(other => other.rollOut(place, workload(place), watch()))).toEqual({ state: 'done' })
    })

    test('does not begin when it is told to stop', async () => {
      const place = newPlace()
      const stopped = watch({ signal: AbortSignal.abort(new Error('enough')) })
      await expect(suite.engine.rollOut(place, workload(place), stopped)).rejects.toThrow('enough')
      expect(await seen(place)).toBeUndefined()
    })

    test('of an odd version under a long name is found by both', async () => {
      const place = newPlace()
      const name = `${place.service}-${'x'.repeat(80)}`
      const version = `1.0.0_${'y'.repeat(100)}-`
      await suite.engine.rollOut(place, workload(place, { name, version }), watch())
      expect(await seen(place, name)).toMatchObject({ name, version, instances: [{ version }] })
      await suite.engine.remove(place, { kind: 'workload', name }, watch())
      expect(await seen(place, name)).toBeUndefined()
    })

    test.for([
      ['whose image does not exist', 'missing', /image/i],
      ['that keeps crashing', 'crashes', /crash|exit code 3/],
    ] as const)('%s fails with the reason, and one that works mends it', async ([, which, reason]) => {
      const place = newPlace()
      const failing = workload(place, { process: suite.processes[which], health: undefined, ports: [] })
      expect(await suite.engine.rollOut(place, failing, watch())).toMatchObject({
        state: 'failed',
        reason: expect.stringMatching(reason) as string,
      })
      expect(await elsewhere(other => other.rollOut(place, workload(place), watch()))).toEqual({ state: 'done' })
      await eventually('what failed is gone', async () => (await seen(place))?.instances.length === 1)
    })

    testOf('logs')('that keeps crashing comes with the last words', async () => {
      const place = newPlace()
      const failing = workload(place, { process: suite.processes.crashes, health: undefined, ports: [] })
      const verdict = await suite.engine.rollOut(place, failing, watch())
      expect(verdict.state === 'failed' && verdict.lastWords.join('\n')).toMatch(/broken/)
      await suite.engine.remove(place, partName(failing), watch())
    })

    test('brings what is to run beside each instance, and compares it', async () => {
      const place = newPlace()
      const beside = [{ name: 'helper', process: suite.processes.rests, health: undefined }]
      const wanted = workload(place, { beside })
      expect(await suite.engine.rollOut(place, wanted, watch())).toEqual({ state: 'done' })
      expect(await seen(place)).toMatchObject({ image: suite.processes.serves.image, ready: 1 })
      expect(await suite.engine.compare(place, wanted)).toEqual([])
      const changed = { ...suite.processes.rests, variables: { GREETING: { value: 'good evening' } } }
      expect(
        await suite.engine.compare(
          place,
          workload(place, { beside: [{ name: 'helper', process: changed, health: undefined }] }),
        ),
      ).toEqual([{ field: 'beside.helper.variables.GREETING', is: '"hello"', wanted: '"good evening"' }])
      expect(await suite.engine.rollOut(place, workload(place), watch())).toEqual({ state: 'done' })
      expect(await suite.engine.compare(place, workload(place))).toEqual([])
    })

    test('waits for what is beside an instance, too, where its health is told', async () => {
      const place = newPlace()
      const asked = (serves: boolean): Workload => {
        const helper = { name: 'helper', process: suite.processes.rests }
        const health = { kind: 'tcp', port: serves ? 'helper' : 'nothing' } as const
        const ports = [port, { ...port, name: 'helper', port: 8081 }, { ...port, name: 'nothing', port: 8082 }]
        return workload(place, { ports, beside: [{ ...helper, health }] })
      }
      expect(await suite.engine.rollOut(place, asked(true), watch())).toEqual({ state: 'done' })
      expect(await suite.engine.compare(place, asked(true))).toEqual([])
      expect(await suite.engine.compare(place, asked(false))).toMatchObject([{ field: 'beside.helper.health' }])
    })

    test('fails with what fails beside the instances', async () => {
      const place = newPlace()
      const failing = workload(place, {
        beside: [{ name: 'helper', process: suite.processes.crashes, health: undefined }],
      })
      expect(await suite.engine.rollOut(place, failing, watch())).toMatchObject({
        state: 'failed',
        reason: expect.stringMatching(/helper.*exit code 3/) as string,
      })
      expect((await seen(place))!.instances[0]!.restarts).toBeGreaterThanOrEqual(2)
      await suite.engine.remove(place, partName(failing), watch())
    })

    test('that does not come in time says so', async () => {
      const place = newPlace()
      const waiting = workload(place, { process: suite.processes.missing })
      const verdict = await suite.engine.rollOut(place, waiting, watch({ timeLimitSeconds: 0 }))
      expect(verdict).toMatchObject({ state: 'failed', reason: expect.any(String) as string })
      await suite.engine.remove(place, partName(waiting), watch())
    })
  })
}
