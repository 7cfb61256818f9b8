// The client over HTTPS against a real API server in this process.
import { createServer, type RequestListener, type Server } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { isAlreadyExists, isConflict, isExpired, isInvalid, isNotFound, type ApiError } from '../api/api-error.ts'
import type { ConfigMap } from '../api/generated/models.ts'
import type { WatchEvent } from '../api/object.ts'
import { configMaps, namespaces, serviceAccounts } from '../api/resources.ts'
import { machineClock } from '../host/machine-clock.ts'
import { eventually } from '../testing/eventually.ts'
import { MemoryStore } from '../store/memory-store.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { HttpClient } from './http-client.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )
let number = 0
const freshName = (): { name: string; namespace: string } => ({ name: `object-${number++}`, namespace: 'default' })
const add = (
  name: { name: string; namespace: string },
  data: Record<string, string> = {},
  labels: Record<string, string> = {},
): Promise<ConfigMap> => server.remote.create<ConfigMap>(configMaps, { metadata: { ...name, labels }, data })

describe('a verb', () => {
  test('create and get', async () => {
    const name = freshName()
    const created = await add(name, { a: '1' })
    expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' } })
    expect(await server.remote.get(configMaps, name)).toEqual(created)
  })

  test('create in a dry run stores nothing', async () => {
    const name = freshName()
    await server.remote.create<ConfigMap>(configMaps, { metadata: name }, { dryRun: true })
    expect(await failureOf(server.remote.get(configMaps, name))).toSatisfy(isNotFound)
  })

  test('list gives every item its kind, in pages and by selector', async () => {
    const label = { set: `s${number}` }
    for (const value of ['1', '2', '3']) await add(freshName(), { value }, label)
    const labelSelector = `set=${label.set}`
    const first = await server.remote.list(configMaps, { labelSelector, limit: 2 })
    expect(first.items.map(({ kind, data }) => [kind, data!['value']])).toEqual([
      ['ConfigMap', '1'],
      ['ConfigMap', '2'],
    ])
    const second = await server.remote.list(configMaps, { labelSelector, limit: 2, continue: first.metadata.continue! })
    expect(second.items.map(({ data }) => data!['value'])).toEqual(['3'])
    expect((await server.remote.list(configMaps, { namespace: 'kube-system', labelSelector })).items).toEqual([])
  })

  test('update replaces, and only the version that was read', async () => {
    const name = freshName()
    const created = await add(name)
    const updated = await server.remote.update<ConfigMap>(configMaps, { ...created, data: { b: '2' } })
    expect(updated.data).toEqual({ b: '2' })
    expect(await failureOf(server.remote.update<ConfigMap>(configMaps, { ...created, data: {} }))).toSatisfy(isConflict)
  })

  test.each([
    ['merge', { type: 'merge', value: { data: { a: null, c: '3' } } }, { b: '2', c: '3' }],
    ['strategic', { type: 'strategic', value: { data: { c: '3' } } }, { a: '1', b: '2', c: '3' }],
    ['json', { type: 'json', operations: [{ op: 'remove', path: '/data/a' }] }, { b: '2' }],
    ['apply', { type: 'apply', value: { data: { a: '9' } }, force: true }, { a: '9', b: '2' }],
  ] as const)('patch by %s', async (_type, patch, data) => {
    const name = freshName()
    await add(name, { a: '1', b: '2' })
    const document = patch.type === 'apply' ? { ...patch, value: { metadata: name, ...patch.value } } : patch
    expect((await server.remote.patch(configMaps, name, document, { fieldManager: 'test' })).data).toEqual(data)
  })

  test('delete, with a condition', async () => {
    const name = freshName()
    await add(name)
    expect(await failureOf(server.remote.delete(configMaps, name, { preconditions: { uid: 'another' } }))).toSatisfy(
      isConflict,
    )
    await server.remote.delete(configMaps, name)
    expect(await failureOf(server.remote.delete(configMaps, name))).toSatisfy(isNotFound)
  })

  test('post to a subresource', async () => {
    const name = freshName()
    await server.remote.create(serviceAccounts, { metadata: name })
    const answer = await server.remote.post(serviceAccounts, name, 'token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: { audiences: [] },
    } as never)
    expect((answer as unknown as { status: { token: string } }).status.token).toMatch(/^ey/)
  })

  test('raw', async () => {
    expect(JSON.parse(await text(await server.remote.raw('/version')))).toMatchObject({
      gitVersion: 'v1.36.0',
      gitCommit: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
      compiler: 'sampan',
    })
    expect(await failureOf(server.remote.raw('/api/v1/nothing'))).toSatisfy(isNotFound)
  })
})

describe('an error of the server', () => {
  test('comes as the same error as in process', async () => {
    const name = freshName()
    await add(name)
    expect(await failureOf(add(name))).toSatisfy(isAlreadyExists)
    expect(await failureOf(add({ name: 'Not A Name', namespace: 'default' }))).toSatisfy(isInvalid)
    const error = (await failureOf(
      server.remote.get(configMaps, { name: 'missing', namespace: 'default' }),
    )) as ApiError
    expect([error.code, error.message, error.status.details]).toEqual([
      404,
      'configmaps "missing" not found',
      { name: 'missing', kind: 'configmaps' },
    ])
  })
})

describe('a watch', () => {
  test('tells of what happens, by selector, until it is ended', async () => {
    const abort = new AbortController()
    const seen: string[] = []
    const { metadata } = await server.remote.list(configMaps)
    const watching = (async () => {
      for await (const { type, object } of server.remote.watch(configMaps, {
        resourceVersion: metadata.resourceVersion,
        labelSelector: 'watched=yes',
        signal: abort.signal,
      }))
        seen.push(`${type} ${object.data?.['a'] ?? ''}`)
    })()
    const name = freshName()
    const created = await add(name, { a: '1' }, { watched: 'yes' })
    await add(freshName(), { a: 'other' })
    await server.remote.update<ConfigMap>(configMaps, { ...created, data: { a: '2' } })
    await server.remote.delete(configMaps, name)
    await eventually('all is seen', () => seen.length === 3)
    abort.abort()
    await watching
    expect(seen).toEqual(['ADDED 1', 'MODIFIED 2', 'DELETED 2'])
  })

  test('from a revision that is forgotten says so', async () => {
    const store = new MemoryStore()
    await store.put('/other', new Uint8Array(), 0)
    await store.compact(2)
    const started = await startTestServer({ store })
    const error = await failureOf(
      (async () => {
        for await (const event of started.remote.watch(configMaps, { resourceVersion: '1' })) void event
      })(),
    )
    expect(error).toSatisfy(isExpired)
    await started.close()
  })

  test('that is left early closes its connection', async () => {
    const events: WatchEvent<ConfigMap>[] = []
    await add(freshName())
    for await (const event of server.remote.watch(configMaps)) {
      events.push(event)
      break
    }
    expect(events).toHaveLength(1)
  })
})

describe('a server that misbehaves', () => {
  let played: Server
  let client: HttpClient
  async function play(listener: RequestListener): Promise<void> {
    played = createServer(listener).listen(0, '127.0.0.1')
    await once(played, 'listening')
    const { port } = played.address() as { port: number }
    client = new HttpClient({
      access: {
        context: '',
        server: `http://127.0.0.1:${port}/prefix/`,
        namespace: 'default',
        token: 'abc',
        skipVerification: false,
      },
      userAgent: 'test/1',
      clock: machineClock,
    })
  }
  afterEach(() => {
    client.close()
    played.close()
    played.closeAllConnections()
  })

  test('gets a token, a user agent and the path below its own', async () => {
    const requests: unknown[] = []
    await play((request, response) => {
      requests.push([request.method, request.url, request.headers.authorization, request.headers['user-agent']])
      response.end('{"kind":"Namespace","metadata":{"name":"a"}}')
    })
    await client.get(namespaces, { name: 'a' })
    expect(requests).toEqual([['GET', '/prefix/api/v1/namespaces/a', 'Bearer abc', 'test/1']])
  })

  test('with an answer that is no Status is quoted', async () => {
    await play((_request, response) => response.writeHead(502).end('<html>bad gateway'))
    expect(await failureOf(client.get(namespaces, { name: 'a' }))).toMatchObject({
      code: 502,
      message: 'the server answered 502: <html>bad gateway',
    })
  })

  test('by breaking a watch off ends it', async () => {
    const line = JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'ä' } } })
    await play((_request, response) => {
      // A line arrives in two pieces, cut inside a character; then half a line and the end.
      const bytes = Buffer.from(`${line}\n{"type":`)
      const cut = bytes.indexOf(0xc3) + 1
      response.write(bytes.subarray(0, cut))
      setTimeout(() => response.write(bytes.subarray(cut), () => response.destroy()), 20)
    })
    const names: string[] = []
    for await (const { object } of client.watch(namespaces)) names.push(object.metadata.name)
    expect(names).toEqual(['ä'])
  })

  test('by an error in a watch is told as that error', async () => {
    await play((_request, response) =>
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } })}\n`,
      ),
    )
    expect(
      await failureOf(
        (async () => {
          for await (const event of client.watch(namespaces)) void event
        })(),
      ),
    ).toSatisfy(isExpired)
  })
})

test('a server that is not there is one sentence, with what starts it where that is known', async () => {
  const client = new HttpClient({
    access: {
      context: '',
      server: 'https://127.0.0.1:1',
      namespace: 'default',
      skipVerification: true,
      startedHere: { name: 'shop', dataDirectory: '/var/lib/sampan/shop' },
    },
    userAgent: 'test',
    clock: machineClock,
  })
  expect(await failureOf(client.get(namespaces, { name: 'a' }))).toMatchObject({
    code: 503,
    message: expect.stringMatching(
      /^the API server at https:\/\/127\.0\.0\.1:1 cannot be reached: .*; if the cluster is down, start it with: sampan up --name shop$/,
    ) as string,
  })
  client.close()
})

test('a server with another authority is not believed', async () => {
  const client = new HttpClient({
    access: { context: '', server: `https://127.0.0.1:${server.port}`, namespace: 'default', skipVerification: false },
    userAgent: 'test',
    clock: machineClock,
  })
  expect(await failureOf(client.get(namespaces, { name: 'default' }))).toMatchObject({
    message: expect.stringContaining('certificate') as string,
  })
  client.close()
})
