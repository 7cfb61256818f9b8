// What is owed of logs: the lines of all instances by time, also of those that come later.
import { expect, test } from 'vitest'
import { eventually } from '../../../testing/eventually.ts'
import type { LogLine } from '../engine.ts'
import { watch, type Suite } from './suite.ts'

export function testLogs(suite: Suite): void {
  const { describeOf, newPlace, seen } = suite
  const { workload } = suite.parts

  describeOf('logs')('logs', () => {
    const logs = async (lines: AsyncIterable<LogLine>): Promise<LogLine[]> => {
      const all: LogLine[] = []
      for await (const line of lines) all.push(line)
      return all
    }
    const wanted = { follow: false, previous: false, signal: new AbortController().signal }

    test('have the lines of all instances, in the order of their times', async () => {
      const place = newPlace()
      await suite.engine.rollOut(place, workload(place, { instances: 2 }), watch())
      const instances = (await seen(place))!.instances.map(instance => instance.name)
      const lines = await logs(suite.engine.logs(place, wanted))
      expect(new Set(lines.map(({ instance }) => instance))).toEqual(new Set(instances))
      expect(lines.map(({ text: line }) => line)).toEqual(['ready to serve', 'ready to serve'])
      expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted())
      expect(lines[0]!.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
      expect(await logs(suite.engine.logs(place, { ...wanted, workloads: ['nobody'] }))).toEqual([])
      expect(await logs(suite.engine.logs(place, { ...wanted, tail: 0 }))).toEqual([])
      expect(await logs(suite.engine.logs(place, { ...wanted, previous: true }))).toEqual([])
    })

    test('that are followed have those of instances that come later, until they are left', async () => {
      const place = newPlace()
      const stop = new AbortController()
      const found: LogLine[] = []
      await suite.engine.rollOut(place, workload(place), watch())
      const reading = (async () => {
        for await (const line of suite.engine.logs(place, { ...wanted, follow: true, signal: stop.signal }))
          found.push(line)
      })()
      await eventually('the first instance is heard', () => found.length === 1)
      await suite.engine.scale(place, place.service, 2, watch())
      await eventually('the second instance is heard', () => found.length === 2)
      stop.abort()
      await reading
      expect(new Set(found.map(({ instance }) => instance)).size).toBe(2)
    })
  })
}
