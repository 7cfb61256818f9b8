// Services that are spoken to by TLS: real requests through the real HAProxy to services of this process.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Backend, BackendTls, GatewayModel, Rule } from '../../src/gateway/model/model.ts'
import { createAuthority, signCertificate } from '../../src/server/auth/certificate-authority.ts'
import { privateHaproxy, type PrivateHaproxy } from '../../src/testing/private-haproxy.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

describe.skipIf(reason !== undefined)(`services with TLS${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let haproxy: PrivateHaproxy
  const servers: Server[] = []
  const tls: Record<string, BackendTls> = {}
  let ports: number[] = []

  const modelWith = (served: readonly number[]): GatewayModel => ({
    entrances: [
      {
        address: '127.0.0.1',
        port: haproxy.port,
        hosts: [
          {
            name: { kind: 'any' },
            listener: '',
            rules: Object.keys(tls).map((id): Rule => ({
              source: id,
              match: { path: { kind: 'prefix', value: `/${id}` }, headers: [], query: [] },
              action: { shares: [{ backend: id, weight: 1 }] },
            })),
          },
        ],
      },
    ],
    backends: new Map(
      Object.entries(tls).map(([id, each]): [string, Backend] => [
        id,
        {
          id,
          handling: {},
          protocol: 'http',
          tls: each,
          servers: served.map(port => ({ address: '127.0.0.1', port, draining: false })),
        },
      ]),
    ),
    credentials: new Map(),
    certificates: new Map(),
  })
  const ask = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${haproxy.port}${path}`)
    return `${response.status} ${await response.text()}`
  }

  beforeAll(async () => {
    haproxy = await privateHaproxy()
    const [authority, other] = await Promise.all(
      ['backends', 'others'].map(name => createAuthority(name, 1, Date.now())),
    )
    for (const which of ['first', 'second']) {
      const { certificate, key } = await signCertificate(
        authority!,
        { commonName: 'web', dnsNames: ['web.internal'], usage: 'server', days: 1 },
        Date.now(),
      )
      const server = createServer({ cert: certificate, key }, (request, response) =>
        response.end(`${which} ${(request.socket as unknown as { servername: string }).servername}`),
      )
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      servers.push(server)
    }
    ports = servers.map(server => (server.address() as AddressInfo).port)
    tls['sound'] = { name: 'web.internal', authorities: authority!.certificate }
    tls['name'] = { ...tls['sound'], name: 'api.internal' }
    tls['authority'] = { ...tls['sound'], authorities: other!.certificate }
    const { authorities: _none, ...machine } = tls['sound']
    tls['machine'] = machine
    await haproxy.haproxy.bring(modelWith([ports[0]!]))
  })
  afterAll(async () => {
    for (const server of servers) server.close()
    await haproxy?.close()
  })

  test.each([
    ['/sound', '200 first web.internal'],
    ['/name', '503'],
    ['/authority', '503'],
    ['/machine', '503'],
  ])('%s is answered with %s', async (path, answer) => {
    expect((await ask(path)).slice(0, answer.length)).toBe(answer)
  })

  test('and instances that come while it runs are verified, too', async () => {
    expect(await haproxy.haproxy.bring(modelWith([ports[1]!]))).toBe('commands')
    expect(await ask('/sound')).toBe('200 second web.internal')
    expect(await ask('/authority')).toMatch(/^503/)
  })
})
