// The WebSocket forms that kubectl does not use but other clients do.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Duplex, PassThrough, Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { RemoteSession } from './node-streams.ts'
import { servePortForward } from './port-forward-server.ts'
import { serveRemoteCommand } from './remote-command-server.ts'

const failure = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'exit status 2',
  reason: 'NonZeroExitCode',
} as const

/** Gives its input back in capitals and ends with it. */
function capitals(sizes: string[]): RemoteSession {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const done = Promise.withResolvers<typeof failure>()
  stdin.on('data', (chunk: Buffer) => stdout.write(chunk.toString().toUpperCase()))
  stdin.on('end', () => {
    stdout.end()
    done.resolve(failure)
  })
  return {
    stdin,
    stdout,
    resize: (columns, rows) => sizes.push(`${columns}x${rows}`),
    done: done.promise,
    abort: () => {},
  }
}

let server: Server
let url: string
const sizes: string[] = []
beforeAll(async () => {
  server = createServer()
  server.on('upgrade', (request, socket, head) => {
    const served = request.url!.startsWith('/exec')
      ? serveRemoteCommand(request, socket, head, async () => capitals(sizes), {
          stdin: true,
          stdout: true,
          stderr: false,
          tty: false,
        })
      : servePortForward(request, socket, head, [80, 81], async port => {
          if (port === 81) throw new Error('nobody there')
          if (request.url!.includes('closes')) return Duplex.from(Readable.from([Buffer.from('all there is')]))
          const echo = new PassThrough()
          echo.write(`port ${port}: `)
          return echo
        })
    served.catch(() => socket.destroy())
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

async function converse(
  path: string,
  protocols: string[],
  messages: (string | Buffer)[],
  enough: (received: string[]) => boolean,
): Promise<{ protocol: string; received: string[] }> {
  const socket = new WebSocket(url + path, protocols)
  const received: string[] = []
  const finished = Promise.withResolvers<void>()
  socket.on('message', (data: Buffer) => {
    received.push(data.toString('latin1'))
    if (enough(received)) finished.resolve()
  })
  socket.on('open', () => {
    for (const message of messages) socket.send(message)
  })
  socket.on('close', () => finished.resolve())
  await finished.promise
  const { protocol } = socket
  socket.terminate()
  return { protocol, received }
}

test('v5 closes standard input with a message of its own, resizes and reports the status', async () => {
  const messages = [Buffer.from('\x04{"Width":80,"Height":24}'), Buffer.from('\x00hello'), Buffer.from([255, 0])]
  const { protocol, received } = await converse(
    '/exec',
    ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    messages,
    () => false,
  )
  expect(protocol).toBe('v5.channel.k8s.io')
  expect(received).toEqual(['\x01', '\x01HELLO', `\x03${JSON.stringify(failure)}`])
  expect(sizes).toEqual(['80x24'])
})

test('base64 channels are digits', async () => {
  const { received } = await converse(
    '/exec',
    ['v4.base64.channel.k8s.io'],
    [`0${Buffer.from('abc').toString('base64')}`],
    got => got.length === 2,
  )
  expect(received).toEqual(['1', `1${Buffer.from('ABC').toString('base64')}`])
})

test('port-forward over channels', async () => {
  const { received } = await converse(
    '/portforward?ports=80&ports=81',
    ['v4.channel.k8s.io'],
    [Buffer.from('\x00ping')],
    got => got.some(text => text.includes('ping')) && got.some(text => text.includes('nobody')),
  )
  expect(received.slice(0, 2)).toEqual(['\x00P\x00', '\x01P\x00'])
  expect(
    received
      .filter(text => text.startsWith('\x00'))
      .slice(1)
      .map(text => text.slice(1))
      .join(''),
  ).toBe('port 80: ping')
  expect(received).toContain('\x03nobody there')
})

test('port-forward over channels closes when the side of every port has closed', async () => {
  const { received } = await converse('/portforward?closes', ['v4.channel.k8s.io'], [], () => false)
  expect(received).toContain('\x00all there is')
  expect(received).toContain('\x03nobody there')
})
