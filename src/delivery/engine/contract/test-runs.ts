// What is owed of a run: made once for its name, joined by whoever asks again, ended or forgotten.
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../testing/eventually.ts'
import { DeployError } from '../../deploy-error.ts'
import { partName } from '../parts.ts'
import { failureOf, watch, type Suite } from './suite.ts'

export function testRuns(suite: Suite): void {
  const { testOf, newPlace, elsewhere } = suite
  const { schedule, run } = suite.parts

  describe('a run', () => {
    test.for([0, 3])('ends with its code (%i) and what it wrote', async exitCode => {
      const place = newPlace()
      const lines: string[] = []
      const wanted = run(place, suite.processes.says(['one', 'two'], exitCode))
      const result = await suite.engine.runOnce(place, wanted, watch({ line: line => lines.push(line) }))
      expect(result.exitCode).toBe(exitCode)
      if (!suite.lacks.includes('logs'))
        expect([result.lines, lines]).toEqual([
          ['one', 'two'],
          ['one', 'two'],
        ])
    })

    test('is made once: who asks again gets its result, whatever he asks for', async () => {
      const place = newPlace()
      const first = await suite.engine.runOnce(place, run(place, suite.processes.says(['first'], 4)), watch())
      const second = run(place, suite.processes.says(['second'], 0))
      expect(await elsewhere(other => other.runOnce(place, second, watch()))).toEqual(first)
      expect(await suite.engine.resultOf(place, second.name, watch())).toEqual(first)
    })

    test('that was left in the middle is joined', async () => {
      const place = newPlace()
      const killed = new AbortController()
      const left = run(place, suite.processes.says(['done'], 0))
      const begun = suite.engine.runOnce(
        place,
        left,
        watch({ signal: killed.signal, progress: () => killed.abort(new Error('killed')) }),
      )
      await failureOf(begun)
      expect(await elsewhere(other => other.runOnce(place, left, watch()))).toMatchObject({ exitCode: 0 })
    })

    test('that is forgotten, twice, can be made anew', async () => {
      const place = newPlace()
      await suite.engine.runOnce(place, run(place, suite.processes.says([], 4)), watch())
      await suite.engine.forgetRun(place, run(place, suite.processes.serves).name)
      await elsewhere(other => other.forgetRun(place, run(place, suite.processes.serves).name))
      expect(await suite.engine.resultOf(place, `${place.service}-run`, watch())).toBeUndefined()
      expect(await suite.engine.runOnce(place, run(place, suite.processes.says([], 0)), watch())).toMatchObject({
        exitCode: 0,
      })
    })

    test('that nobody made has no result, and is forgotten without harm', async () => {
      const place = newPlace()
      expect(await suite.engine.resultOf(place, 'nobody', watch())).toBeUndefined()
      await suite.engine.forgetRun(place, 'nobody')
    })

    test('that can never begin ends with the reason, for everybody', async () => {
      const place = newPlace()
      const hopeless = run(place, suite.processes.missing)
      const result = await suite.engine.runOnce(place, hopeless, watch())
      expect(result).toMatchObject({ reason: expect.stringMatching(/image/i) as string })
      expect(result.exitCode).not.toBe(0)
      expect(await suite.engine.resultOf(place, hopeless.name, watch())).toMatchObject({ reason: result.reason })
    })

    testOf('endless runs')('is ended by its time limit', async () => {
      const place = newPlace()
      const endless = run(place, suite.processes.serves, { timeLimitSeconds: 1 })
      const result = await suite.engine.runOnce(place, endless, watch())
      expect(result).toMatchObject({ reason: expect.stringMatching(/within 1 second/) as string })
      expect(result.exitCode).not.toBe(0)
    })

    testOf('endless runs')('goes on when nobody waits any more, until it is forgotten', async () => {
      const place = newPlace()
      const endless = run(place, suite.processes.serves)
      const stop = new AbortController()
      const waiting = failureOf(suite.engine.runOnce(place, endless, watch({ signal: stop.signal })))
      await eventually('it is there', async () => {
        const result = suite.engine.resultOf(place, endless.name, watch({ signal: AbortSignal.timeout(200) }))
        return ((await failureOf(result)) as Error | undefined)?.name === 'TimeoutError'
      })
      stop.abort(new Error('left'))
      expect(await waiting).toMatchObject({ message: 'left' })
      await suite.engine.forgetRun(place, endless.name)
      expect(await suite.engine.resultOf(place, endless.name, watch())).toBeUndefined()
    })

    test('of a schedule is made now, and once for each name', async () => {
      const place = newPlace()
      const part = schedule(place, { timing: { start: '2026-01-01T00:00:00Z', everyMinutes: 420, count: 1 } })
      await suite.engine.put(place, part, watch())
      const result = await suite.engine.runSchedule(place, part.name, `${place.service}-now`, watch())
      expect(result).toMatchObject({ exitCode: 0 })
      if (!suite.lacks.includes('logs')) expect(result.lines).toEqual(['reported'])
      const again = elsewhere(other => other.runSchedule(place, part.name, `${place.service}-now`, watch()))
      expect(await again).toEqual(result)
      await suite.engine.remove(place, partName(part), watch())
    })

    test('of a schedule that is not there fails', async () => {
      const place = newPlace()
      expect(await failureOf(suite.engine.runSchedule(place, 'nobody', 'now', watch()))).toBeInstanceOf(DeployError)
    })
  })
}
