// Commands that end before they have read their input, over both protocols: the client hears of the end, and the
// connection closes although the client goes on sending.
import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { PassThrough, Writable, type Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { RemoteSession } from './node-streams.ts'
import { serveRemoteCommand } from './remote-command-server.ts'
import { SpdySession } from './spdy/session.ts'

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } as const
const input = Buffer.alloc(8 << 20, 'x')

/** What becomes of the input of a command that does not read it. */
const fates: Readonly<Record<string, (end: () => void) => Writable>> = {
  'is closed before the client can send': end => {
    end()
    return new Writable().destroy()
  },
  'is closed in the midst of it': end =>
    new Writable({
      write() {
        this.destroy()
        end()
      },
    }),
  'stays open': end => new Writable({ write: end }),
}

let fate: (end: () => void) => Writable
let connection: Duplex
let server: Server
beforeAll(async () => {
  server = createServer()
  server.on('upgrade', (upgrade, socket, head) => {
    connection = socket
    const options = { stdin: true, stdout: true, stderr: false, tty: false }
    void serveRemoteCommand(upgrade, socket, head, async () => command(), options)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function command(): RemoteSession {
  const stdout = new PassThrough()
  const done = Promise.withResolvers<typeof success>()
  const stdin = fate(() => {
    stdout.end('over')
    done.resolve(success)
  })
  return { stdin, stdout, resize: () => {}, done: done.promise, abort: () => {} }
}

const address = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}`

async function overSpdy(): Promise<{ out: string; status: string }> {
  const call = request(`http://${address()}/`, {
    headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' },
  }).end()
  const [, socket] = (await once(call, 'upgrade')) as [unknown, Socket]
  const session = new SpdySession(socket, { role: 'client' })
  const [errors, stdin, stdout] = ['error', 'stdin', 'stdout'].map(streamType => session.openStream({ streamType }))
  stdin!.on('error', () => {}).write(input)
  return { out: await text(stdout!), status: await text(errors!) }
}

async function overWebSocket(): Promise<{ out: string; status: string }> {
  const client = new WebSocket(`ws://${address()}/`, ['v5.channel.k8s.io'])
  const received = new Map<number, string>()
  client.on('message', (data: Buffer) =>
    received.set(data[0]!, `${received.get(data[0]!) ?? ''}${data.toString('utf8', 1)}`),
  )
  client.on('open', () => {
    for (let sent = 0; sent < input.length; sent += 65_536)
      client.send(Buffer.concat([Buffer.from([0]), input.subarray(sent, sent + 65_536)]))
  })
  await once(client, 'close')
  return { out: received.get(1) ?? '', status: received.get(3) ?? '' }
}

for (const [protocol, run] of Object.entries({ SPDY: overSpdy, WebSocket: overWebSocket })) {
  for (const [what, become] of Object.entries(fates)) {
    test(`over ${protocol}, when the input ${what}`, async () => {
      fate = become
      expect(await run()).toEqual({ out: 'over', status: JSON.stringify(success) })
      if (!connection.closed) await once(connection, 'close')
    })
  }
}
