import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { SpdySession, type SpdyStream } from './session.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function sessions(onStream: (stream: SpdyStream) => void): Promise<{ client: SpdySession; server: SpdySession }> {
  const accepted = Promise.withResolvers<Socket>()
  const listener = createServer(socket => accepted.resolve(socket)).listen(0, '127.0.0.1')
  await new Promise(resolve => {
    listener.once('listening', resolve)
  })
  const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1')
  const client = new SpdySession(socket, { role: 'client' })
  const server = new SpdySession(await accepted.promise, { role: 'server', onStream })
  closers.push(() => {
    client.destroy()
    server.destroy()
    listener.close()
  })
  return { client, server }
}

test('a stream carries headers, data both ways and half close', async () => {
  const { client } = await sessions(stream => {
    stream.reply({ greeting: 'hello' })
    void text(stream).then(received => stream.end(`${stream.headers['streamtype']}:${received}`))
  })
  const stream = client.openStream({ streamType: 'data' })
  stream.end('ping')
  expect({ ...(await stream.accepted) }).toEqual({ greeting: 'hello' })
  expect(await text(stream)).toBe('data:ping')
})

test('megabytes pass although the reader is slow', async () => {
  const { client } = await sessions(stream => {
    stream.reply()
    stream.pipe(stream)
  })
  const payload = Buffer.alloc(8 << 20, 'abcdefgh')
  const stream = client.openStream({})
  stream.end(payload)
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  expect(Buffer.concat(chunks).equals(payload)).toBe(true)
})

test('streams that are not wanted are reset', async () => {
  const { client } = await sessions(stream => stream.destroy())
  const stream = client.openStream({})
  await expect(stream.accepted).rejects.toThrow('refused or reset')
})

test('the end of the transport ends every stream', async () => {
  const { client, server } = await sessions(stream => {
    stream.reply()
    stream.write('last words', () => server.close())
  })
  const stream = client.openStream({})
  expect(await text(stream)).toBe('last words')
})
