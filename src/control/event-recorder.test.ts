import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConfigMap } from '../api/generated/models.ts'
import { configMaps, events } from '../api/resources.ts'
import { silentLogger } from '../lib/logger.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import type { TestServer } from '../testing/in-process-server.ts'
import { startTestServer } from '../testing/in-process-server.ts'
import { createEventRecorder } from './event-recorder.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

async function setUp(name: string) {
  const clock = new FakeClock()
  const object: ConfigMap = await server.local.create(configMaps, { metadata: { namespace: 'default', name } })
  const recorder = createEventRecorder({ client: server.local, clock, logger: silentLogger, component: 'tester' })
  const written = () =>
    server.local
      .informer(events)
      .list('default')
      .filter(event => event.involvedObject.name === name)
  return { clock, object, recorder, written }
}

test('the same event again raises the count', async () => {
  const { clock, object, recorder, written } = await setUp('same')
  recorder.recordEvent(object, 'Normal', 'Ticked', 'tick')
  await clock.advance(5_000)
  recorder.recordEvent(object, 'Normal', 'Ticked', 'tick')
  await recorder.flush()
  expect(
    written().map(({ count, firstTimestamp, lastTimestamp, source }) => [
      count,
      firstTimestamp,
      lastTimestamp,
      source?.component,
    ]),
  ).toEqual([[2, '2026-01-01T00:00:00Z', '2026-01-01T00:00:05Z', 'tester']])
})

test('many texts about one matter become one event', async () => {
  const { object, recorder, written } = await setUp('similar')
  for (let index = 0; index < 15; index++) recorder.recordEvent(object, 'Warning', 'Failed', `attempt ${index}`)
  await recorder.flush()
  const combined = written().filter(event => event.message?.startsWith('(combined from similar events)'))
  expect(written()).toHaveLength(10)
  expect(combined.map(({ message, count }) => [message, count])).toEqual([
    ['(combined from similar events): attempt 14', 6],
  ])
})

test('the same text about another part of the object is another event', async () => {
  const { object, recorder, written } = await setUp('parts')
  for (const part of ['web', 'log', 'web'])
    recorder.recordEvent(object, 'Warning', 'Failed', 'it failed', { fieldPath: `spec.containers{${part}}` })
  await recorder.flush()
  expect(written().map(({ involvedObject, count }) => [involvedObject.fieldPath, count])).toEqual(
    expect.arrayContaining([
      ['spec.containers{web}', 2],
      ['spec.containers{log}', 1],
    ]),
  )
  expect(written()).toHaveLength(2)
})
