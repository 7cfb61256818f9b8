// Logs and watches as messages of a WebSocket, as browsers and the conformance tests read them.
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { decodeProtobuf } from '../../src/api/protobuf/envelope.ts'
import { configMaps, pods, serviceAccounts } from '../../src/api/resources.ts'
import type { LogOptions, NodeStreams } from '../../src/streams/node-streams.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
let asked: LogOptions[] = []
let log: () => Readable = () => Readable.from(['first\n', 'second\n'], { objectMode: false })
const agent = {
  logs: async (_target: unknown, options: LogOptions) => {
    asked.push(options)
    return log()
  },
} as unknown as NodeStreams
const core = '/api/v1/namespaces/default'
const sockets: WebSocket[] = []

beforeEach(async () => {
  asked = []
  log = () => Readable.from(['first\n', 'second\n'], { objectMode: false })
  server = await startTestServer({ findNodeStreams: () => agent })
  await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
  for (const [name, nodeName] of [
    ['p', 'n'],
    ['waits', undefined],
  ])
    await server.local.create(pods, {
      metadata: { namespace: 'default', name },
      spec: { ...(nodeName && { nodeName }), containers: [{ name: 'c', image: 'x:1' }] },
    })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await server.close()
})

interface Received {
  readonly socket: WebSocket
  readonly messages: { readonly text: string; readonly bytes: Buffer; readonly isBinary: boolean }[]
  /** Of the close frame. */
  readonly closed: Promise<number>
}

function open(path: string, protocols: string[] = [], headers: Record<string, string> = {}): Received {
  const { keys, port } = server
  const socket = new WebSocket(`wss://127.0.0.1:${port}${path}`, protocols, {
    ca: keys.authority.certificate,
    cert: keys.admin.certificate,
    key: keys.admin.key,
    headers,
  })
  sockets.push(socket)
  const messages: Received['messages'] = []
  socket.on('message', (data: Buffer, isBinary) => messages.push({ text: data.toString(), bytes: data, isBinary }))
  // What goes wrong is seen by the code: it is not 1000 then.
  socket.on('error', () => {})
  const closed = new Promise<number>(resolve => {
    socket.once('close', resolve)
  })
  return { socket, messages, closed }
}

/** The answer to a handshake that was refused. */
async function refused(path: string, protocols: string[] = []): Promise<number> {
  const { socket } = open(path, protocols)
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  return response.statusCode
}

describe('a log', () => {
  test.each([[['binary.k8s.io']], [[]]])('with the protocols %j is bytes, after an empty message', async protocols => {
    const { socket, messages, closed } = open(`${core}/pods/p/log?tailLines=5`, protocols)
    expect(await closed).toBe(1000)
    expect(socket.protocol).toBe(protocols[0] ?? '')
    expect(messages.map(({ text }) => text)).toEqual(['', 'first\n', 'second\n'])
    expect(messages.every(({ isBinary }) => isBinary)).toBe(true)
    expect(asked).toMatchObject([{ tailLines: 5 }])
  })

  test('with the protocol base64.binary.k8s.io is text', async () => {
    const token = 'base64url.bearer.authorization.k8s.io.dG9rZW4'
    const { socket, messages, closed } = open(`${core}/pods/p/log`, [token, 'base64.binary.k8s.io'])
    expect(await closed).toBe(1000)
    expect(socket.protocol).toBe('base64.binary.k8s.io')
    expect(messages.map(({ text }) => Buffer.from(text, 'base64').toString())).toEqual(['', 'first\n', 'second\n'])
    expect(messages.some(({ isBinary }) => isBinary)).toBe(false)
  })

  test('of megabytes arrives whole', async () => {
    log = () => Readable.from(Array.from({ length: 128 }, (_, index) => Buffer.alloc(64 * 1024, index)))
    const { messages, closed } = open(`${core}/pods/p/log`)
    expect(await closed).toBe(1000)
    const all = Buffer.concat(messages.map(({ bytes }) => bytes))
    expect(all.length).toBe(8 << 20)
    expect(all.every((byte, index) => byte === index >> 16)).toBe(true)
  })

  test('of a pod that is nowhere yet is empty', async () => {
    const { messages, closed } = open(`${core}/pods/waits/log`)
    expect(await closed).toBe(1000)
    expect(messages.map(({ text }) => text)).toEqual([''])
  })

  test('is let go of when the client leaves', async () => {
    const source = new Readable({ read: () => {} })
    log = () => source
    const { socket, messages } = open(`${core}/pods/p/log?follow=true`)
    source.push('line\n')
    await eventually('the line', () => messages.some(({ text }) => text === 'line\n'))
    socket.close()
    await eventually('the end', () => source.destroyed)
  })

  test('does not keep the server from closing', async () => {
    log = () => new Readable({ read: () => {} })
    const { closed, messages } = open(`${core}/pods/p/log?follow=true`)
    await eventually('the connection', () => messages.length === 1)
    await server.server.close()
    await closed
  })

  test('is refused as over HTTP, and with other protocols', async () => {
    expect(await refused(`${core}/pods/none/log`)).toBe(404)
    expect(await refused(`${core}/pods/p/log?limitBytes=0`)).toBe(422)
    expect(await refused(`${core}/pods/p/log`, ['v4.channel.k8s.io'])).toBe(403)
  })
})

describe('a watch', () => {
  const create = (name: string, data: Record<string, string> = {}): Promise<unknown> =>
    server.local.create(configMaps, { metadata: { namespace: 'default', name }, data })
  const eventsOf = ({ messages }: Received): string[] =>
    messages.map(({ text }) => {
      const { type, object } = JSON.parse(text) as { type: string; object: { metadata: { name: string } } }
      return `${type} ${object.metadata.name}`
    })

  test.each([[[]], [['binary.k8s.io']], [['base64.binary.k8s.io']]])(
    'with the protocols %j gives each event as a text',
    async protocols => {
      await create('before', { value: 'v'.repeat(200_000) })
      await create('besides')
      const received = open(`${core}/configmaps?watch=true&resourceVersion=0`, protocols)
      const had = async (event: string): Promise<unknown> => eventually(event, () => eventsOf(received).includes(event))
      await had('ADDED besides')
      await create('during')
      await server.call('DELETE', `${core}/configmaps/before`)
      await had('DELETED before')
      expect(eventsOf(received)).toEqual(['ADDED before', 'ADDED besides', 'ADDED during', 'DELETED before'])
      expect(received.messages.some(({ isBinary }) => isBinary)).toBe(false)
      expect(received.socket.protocol).toBe(protocols[0] ?? '')
    },
  )

  test('of one object, in the old form, ends when its time is up', async () => {
    await create('one')
    await create('other')
    const received = open(`/api/v1/watch/namespaces/default/configmaps/one?timeoutSeconds=1`)
    expect(await received.closed).toBe(1000)
    expect(eventsOf(received)).toEqual(['ADDED one'])
  })

  test('in protobuf gives each event as bytes', async () => {
    await create('one')
    await create('two')
    const received = open(`${core}/configmaps?watch=true`, [], {
      Accept: 'application/vnd.kubernetes.protobuf;stream=watch',
    })
    await eventually('two events', () => received.messages.length === 2)
    expect(received.messages.every(({ isBinary }) => isBinary)).toBe(true)
    // A watch event is `type=1 string, object=2 {raw=1 bytes}`, the object an envelope.
    const [first] = received.messages
    expect(first!.bytes.subarray(0, 7).toString('latin1')).toBe('\n\x05ADDED')
    expect(decodeProtobuf(first!.bytes.subarray(first!.bytes.indexOf('k8s\0')))).toMatchObject({ kind: 'ConfigMap' })
  })

  test('is ended with the server', async () => {
    const { socket, closed } = open(`${core}/configmaps?watch=true`)
    await once(socket, 'open')
    await server.server.close()
    expect(await closed).toBe(1000)
  })

  test('is refused as over HTTP', async () => {
    expect(await refused(`${core}/configmaps?watch=true&resourceVersion=none`)).toBe(400)
    expect(await refused(`${core}/nothings?watch=true`)).toBe(404)
    expect(await refused(`${core}/configmaps`)).toBe(400)
  })
})
