import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConfigMap } from '../api/generated/models.ts'
import { configMaps, events, eventsOfEventsGroup } from '../api/resources.ts'
import { silentLogger } from '../lib/logger.ts'
import { FakeClock } from '../testing/fake-clock.ts'
import type { TestServer } from '../testing/in-process-server.ts'
import { startTestServer } from '../testing/in-process-server.ts'
import { createEventSeriesRecorder } from './event-series-recorder.ts'

const minuteMs = 60_000
const random = { uuid: () => '00000000-0000-4000-8000-000000000000', fraction: () => 0 }

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

async function setUp(name: string) {
  const clock = new FakeClock()
  const object: ConfigMap = await server.local.create(configMaps, { metadata: { namespace: 'default', name } })
  const recorder = createEventSeriesRecorder({
    client: server.local,
    clock,
    random,
    logger: silentLogger,
    controller: 'tester',
    host: 'here',
  })
  const failed = (message: string, about = object): void =>
    recorder.recordEvent(about, 'Warning', 'Failed', message, { action: 'Trying' })
  const written = async () => {
    await recorder.flush()
    return server.local
      .informer(events)
      .list('default')
      .filter(event => event.involvedObject.name === name)
  }
  return { clock, object, recorder, failed, written }
}

test('an event has a reporter, an action and a time; what older readers look for is empty', async () => {
  const { object, recorder, written } = await setUp('shape')
  recorder.recordEvent(object, 'Normal', 'Bound', 'it is bound', { action: 'Binding', related: object })
  const [event] = await written()
  const { resourceVersion, uid } = object.metadata
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'shape', uid, resourceVersion }
  expect(event).toMatchObject({
    type: 'Normal',
    reason: 'Bound',
    message: 'it is bound',
    action: 'Binding',
    involvedObject: reference,
    related: reference,
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingComponent: 'tester',
    reportingInstance: 'tester-here',
    source: {},
    firstTimestamp: null,
    lastTimestamp: null,
  })
  expect([event!.count, event!.series]).toEqual([undefined, undefined])
  const { namespace, name } = event!.metadata
  expect(await server.local.get(eventsOfEventsGroup, { namespace, name })).toMatchObject({
    note: 'it is bound',
    regarding: reference,
    reportingController: 'tester',
    deprecatedSource: {},
  })
})

test('the second of the same makes a series, later ones are written when it has gone on for half an hour or is quiet', async () => {
  const { clock, failed, written } = await setUp('series')
  failed('first')
  await clock.advance(1000)
  failed('second')
  failed('third')
  const series = async (): Promise<unknown[]> => (await written()).map(one => [one.message, one.series])
  expect(await series()).toEqual([['first', { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' }]])
  for (let count = 4; count <= 9; count++) {
    await clock.advance(5 * minuteMs)
    failed('again')
  }
  expect(await series()).toEqual([['first', { count: 8, lastObservedTime: '2026-01-01T00:25:01.000000Z' }]])
  await clock.advance(12 * minuteMs)
  expect(await series()).toEqual([['first', { count: 9, lastObservedTime: '2026-01-01T00:30:01.000000Z' }]])
  failed('later')
  expect(await written()).toHaveLength(2)
})

test('what happens to a changed object is another event', async () => {
  const { object, failed, written } = await setUp('changed')
  failed('first')
  failed(
    'second',
    await server.local.patch(configMaps, object.metadata, { type: 'merge', value: { data: { a: 'b' } } }),
  )
  expect((await written()).map(({ message }) => message)).toEqual(expect.arrayContaining(['first', 'second']))
})

test('a series whose event was deleted is written anew', async () => {
  const { failed, written } = await setUp('deleted')
  failed('first')
  for (const { metadata } of await written()) await server.local.delete(events, metadata)
  failed('second')
  expect((await written()).map(one => [one.message, one.series?.count])).toEqual([['first', 2]])
})

test('an object whose name leaves no room gets an event of another name', async () => {
  const { written, failed } = await setUp('n'.repeat(250))
  failed('first')
  expect((await written()).map(({ metadata }) => metadata.name)).toEqual([random.uuid()])
})
