// A live view over the network: against a real server, and against a played client that breaks off.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { expired } from '../api/api-error.ts'
import type { ConfigMap } from '../api/generated/models.ts'
import type { WatchEvent } from '../api/object.ts'
import { configMaps } from '../api/resources.ts'
import { eventually } from '../testing/eventually.ts'
import { FakeClock, settle } from '../testing/fake-clock.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import type { Change, Client, Informer } from './client.ts'
import { RemoteInformer } from './remote-informer.ts'

const shown = ({ type, object }: Change<ConfigMap>): string =>
  `${type} ${object.metadata.name}${object.data === undefined ? '' : ` ${object.data['a']}`}`

describe('over a real connection', () => {
  let server: TestServer
  let informer: Informer<ConfigMap>
  let seen: string[]
  const name = { namespace: 'default', name: 'one' }
  beforeEach(async () => {
    server = await startTestServer()
    await server.local.create<ConfigMap>(configMaps, { metadata: name, data: { a: '1' } })
    informer = server.remote.informer(configMaps)
    await informer.synced
    seen = []
    informer.subscribe(change => {
      if (change.object.metadata.namespace === 'default' && change.object.metadata.name !== 'kube-root-ca.crt')
        seen.push(shown(change))
    })
  })
  afterEach(() => server.close())

  test('shows what is there, then what happens', async () => {
    const byValue = informer.index('a', ({ data }) => (data?.['a'] === undefined ? [] : [data['a']]))
    expect(informer.get(name)?.data).toEqual({ a: '1' })
    await server.local.patch(configMaps, name, { type: 'merge', value: { data: { a: '2' } } })
    await server.local.create<ConfigMap>(configMaps, {
      metadata: { namespace: 'default', name: 'two' },
      data: { a: '2' },
    })
    await eventually('both are seen', () => byValue('2').length === 2)
    expect(byValue('1')).toEqual([])
    await server.local.delete(configMaps, name)
    await eventually('it is gone', () => informer.get(name) === undefined)
    expect(seen).toEqual(['ADDED one 1', 'MODIFIED one 2', 'ADDED two 2', 'DELETED one 2'])
    expect(informer.list('default').map(({ metadata }) => metadata.name)).toContain('two')
    expect(informer.list('elsewhere')).toEqual([])
  })

  test('is the one view of its resource', () => {
    expect(server.remote.informer(configMaps)).toBe(informer)
  })
})

describe('when the connection breaks', () => {
  const object = (name: string, revision: number, value = '1'): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'n', uid: name, resourceVersion: String(revision), creationTimestamp: '' },
    data: { a: value },
  })

  /** A server that the test plays: what a list shows, and how each watch goes. */
  class PlayedClient {
    items: ConfigMap[] = [object('one', 1)]
    revision = 5
    lists = 0
    readonly watchedFrom: (string | undefined)[] = []
    readonly watches: ((from: string | undefined) => AsyncIterable<WatchEvent<ConfigMap>>)[] = []

    async list(): Promise<unknown> {
      this.lists++
      return { items: this.items, metadata: { resourceVersion: String(this.revision) } }
    }

    async *watch(
      _resource: unknown,
      { resourceVersion, signal }: { resourceVersion?: string; signal?: AbortSignal },
    ): AsyncIterable<WatchEvent<ConfigMap>> {
      this.watchedFrom.push(resourceVersion)
      const next = this.watches.shift()
      if (next !== undefined) yield* next(resourceVersion)
      else
        await new Promise<void>(resolve => {
          signal?.addEventListener('abort', () => resolve())
        })
    }
  }

  let client: PlayedClient
  let clock: FakeClock
  let seen: string[]
  let informer: RemoteInformer<ConfigMap> | undefined
  async function start(): Promise<void> {
    informer = new RemoteInformer<ConfigMap>(client as unknown as Client, configMaps, clock)
    seen = []
    informer.subscribe(change => seen.push(shown(change)))
    await settle()
  }
  beforeEach(() => {
    client = new PlayedClient()
    clock = new FakeClock()
  })
  afterEach(() => informer?.stop())

  test('it goes on where it was, without listing again', async () => {
    client.watches.push(async function* watchOnce() {
      yield { type: 'ADDED', object: object('two', 6) }
      yield { type: 'BOOKMARK', object: object('', 9) }
    })
    await start()
    expect([client.lists, client.watchedFrom]).toEqual([1, ['5', '9']])
    expect(seen).toEqual(['ADDED one 1', 'ADDED two 1'])
  })

  test('an expired revision is listed anew, and only differences are told', async () => {
    client.items = [object('one', 1), object('two', 2), object('three', 3)]
    client.watches.push(async function* watchOnce() {
      client.items = [object('one', 1), object('two', 7, '2'), object('four', 8)]
      client.revision = 20
      yield* []
      throw expired('too old')
    })
    await start()
    seen.length = 0
    await clock.advance(1000)
    expect(client.lists).toBe(2)
    expect(seen).toEqual(['DELETED three 1', 'MODIFIED two 2', 'ADDED four 1'])
    expect(client.watchedFrom).toEqual(['5', '20'])
  })

  test('a server that is away is asked again less and less often', async () => {
    const times: number[] = []
    const failing = async function* watchOnce(): AsyncIterable<WatchEvent<ConfigMap>> {
      times.push(clock.now())
      yield* []
      throw new Error('connection refused')
    }
    client.watches.push(failing, failing, failing, failing)
    await start()
    await clock.advance(5000)
    expect(times.map(time => time - times[0]!)).toEqual([0, 100, 300, 700])
  })

  test('a stopped view asks no more', async () => {
    await start()
    informer!.stop()
    await clock.advance(60_000)
    expect([client.lists, client.watchedFrom.length]).toEqual([1, 1])
  })
})
