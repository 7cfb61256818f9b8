// Connections that a gateway hands on as they come: by the name that TLS asks for, or all of them, to services of this
// process through the real HAProxy.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Backend, Host, HostName, Share } from '../../src/gateway/model/model.ts'
import { freePort } from '../../src/host/free-port.ts'
import { createAuthority } from '../../src/server/auth/certificate-authority.ts'
import { privateHaproxy, type PrivateHaproxy } from '../../src/testing/private-haproxy.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Says its name, and then what it hears. */
const telling = (name: string) => (socket: Socket) => {
  socket.on('error', () => {})
  socket.write(`${name} `)
  socket.pipe(socket)
}

async function heard(socket: Socket, sent = ''): Promise<string> {
  const parts: string[] = []
  socket.on('error', () => {})
  socket.setEncoding('utf8').on('data', (part: string) => {
    parts.push(part)
    if (parts.join('').endsWith(sent)) socket.end()
  })
  if (sent !== '') socket.write(sent)
  await new Promise(resolve => socket.once('close', resolve))
  return parts.join('')
}

const exact = (name: string): HostName => ({ kind: 'exact', name })

describe.skipIf(reason !== undefined)(`connections${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let haproxy: PrivateHaproxy
  let tlsPort: number
  const servers: Server[] = []
  const host = (name: HostName, shares: readonly Share[]): Host => ({
    name,
    listener: 'one',
    rules: [
      {
        source: JSON.stringify(name),
        match: { path: { kind: 'prefix', value: '/' }, headers: [], query: [] },
        action: { shares },
      },
    ],
  })
  const all = (backend: string | undefined): readonly Share[] => [{ backend, weight: 1 }]
  const backend = (id: string, port: number): [string, Backend] => [
    id,
    { id, handling: {}, protocol: 'tcp', servers: [{ address: '127.0.0.1', port, draining: false }] },
  ]

  beforeAll(async () => {
    haproxy = await privateHaproxy()
    tlsPort = await freePort()
    const { certificate, key } = await createAuthority('connections', 1, Date.now())
    const secure = (name: string): Server => createTlsServer({ cert: certificate, key }, telling(name))
    servers.push(secure('exact'), secure('wild'), createServer(telling('one')), createServer(telling('other')))
    const [exactPort, wildPort, onePort, otherPort] = await Promise.all(servers.map(listening))
    await haproxy.haproxy.bring({
      entrances: [
        {
          address: '127.0.0.1',
          port: haproxy.port,
          carries: 'connections',
          hosts: [
            host({ kind: 'any' }, [
              { backend: 'one', weight: 3 },
              { backend: 'other', weight: 1 },
            ]),
          ],
        },
        {
          address: '127.0.0.1',
          port: tlsPort,
          carries: 'names',
          hosts: [
            host(exact('a.example.com'), all('exact')),
            host({ kind: 'below', below: 'example.com' }, all('wild')),
            host(exact('none.example.com'), all(undefined)),
          ],
        },
      ],
      backends: new Map([
        backend('exact', exactPort!),
        backend('wild', wildPort!),
        backend('one', onePort!),
        backend('other', otherPort!),
      ]),
      credentials: new Map(),
      certificates: new Map(),
    })
  })
  afterAll(async () => {
    for (const server of servers) server.close()
    await haproxy?.close()
  })

  test('go to services by weight, and bytes pass both ways', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => heard(connect(haproxy.port, '127.0.0.1'), 'hello')),
    )
    const ones = answers.filter(text => text === 'one hello').length
    expect(answers.every(text => /^(one|other) hello$/.test(text))).toBe(true)
    expect(ones).toBeGreaterThan(120)
    expect(ones).toBeLessThan(180)
  })

  test.each([
    ['a.example.com', 'exact hello'],
    ['A.Example.com', 'exact hello'],
    ['b.example.com', 'wild hello'],
    ['c.b.example.com', 'wild hello'],
    ['none.example.com', ''],
    ['example.com', ''],
    ['example.org', ''],
  ])('that ask for %s by TLS are handed on unopened: "%s"', async (servername, text) => {
    expect(await heard(connectTls({ port: tlsPort, servername, rejectUnauthorized: false }), 'hello')).toBe(text)
  })

  test('that ask for no name, or speak no TLS, are closed', async () => {
    expect(await heard(connectTls({ port: tlsPort, rejectUnauthorized: false }))).toBe('')
    const plain = connect(tlsPort, '127.0.0.1')
    plain.write('GET / HTTP/1.1\r\n\r\n')
    expect(await heard(plain)).toBe('')
  })
})
