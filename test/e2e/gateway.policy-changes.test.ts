// What policies ask for holds as soon as they are brought: for connections that were there before, too.
import { spawnSync } from 'node:child_process'
import { Agent, request, type IncomingMessage, type Server } from 'node:http'
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tellingService } from '../../src/testing/handled-requests.ts'
import { accessPolicy, policedModel, trafficPolicy, type PolicedCluster } from '../../src/testing/policed-gateway.ts'
import { privateHaproxy, type PrivateHaproxy } from '../../src/testing/private-haproxy.ts'

const reason = spawnSync('haproxy', ['-v']).error === undefined ? undefined : 'there is no haproxy'

const redirect = { type: 'RequestRedirect', requestRedirect: { hostname: 'a.example', statusCode: 302 } } as const

const closing: Partial<PolicedCluster> = {
  accessPolicies: [accessPolicy('guarded', 'guarded', { authentication: { keys: { header: 'x-api-key' } } })],
}

describe.skipIf(reason !== undefined)(
  `policies that change${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let haproxy: PrivateHaproxy
    let service: Server & { readonly port: number }
    const sessions: ClientHttp2Session[] = []

    const bring = (more: Partial<PolicedCluster> = {}): Promise<string> =>
      haproxy.haproxy.bring(
        policedModel(haproxy.port, service.port, {
          rules: { guarded: {} },
          ...more,
        }).model,
      )

    async function ask(path: string, agent: Agent, headers: Record<string, string> = {}): Promise<number> {
      const asking = request({ host: '127.0.0.1', port: haproxy.port, path, agent, headers }).end()
      const [response] = (await once(asking, 'response')) as [IncomingMessage]
      response.resume()
      await once(response, 'end')
      return response.statusCode!
    }

    /** By HTTP/2, on one connection as long as the gateway keeps it. */
    function multiplexed(path: string): () => Promise<number> {
      let session: ClientHttp2Session | undefined
      return async function way(): Promise<number> {
        if (session === undefined || session.closed || session.destroyed) {
          session = connect(`http://127.0.0.1:${haproxy.port}`)
          session.on('error', () => {})
          sessions.push(session)
        }
        const stream = session.request({ ':path': path })
        try {
          const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
          stream.resume()
          await once(stream, 'end')
          return headers[':status']
        } catch (error) {
          // It went with the connection and was not looked at: clients send it again (RFC 9113, 8.7).
          if (stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM) throw error
          return await way()
        }
      }
    }

    beforeAll(async () => {
      service = await tellingService()
      haproxy = await privateHaproxy()
      await bring()
    })
    afterAll(async () => {
      sessions.forEach(session => session.destroy())
      await haproxy?.close()
      service?.close()
    })

    test('hold for every request after they are brought, and lose none', { timeout: 60_000 }, async () => {
      const connections = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
      /** What has been brought for sure; undefined: it is changing. */
      let expected: number | undefined = 200
      let isOver = false
      const wrong: string[] = []
      let count = 0
      const ways = [
        ...connections.map(agent => () => ask('/guarded', agent)),
        ...Array.from({ length: 4 }, () => multiplexed('/guarded')),
      ]
      const asking = ways.map(async way => {
        while (!isOver) {
          const before = expected
          const found = await way().catch((error: Error) => error.message)
          count++
          const isAllowed =
            before !== undefined && before === expected ? found === before : found === 200 || found === 401
          if (!isAllowed) wrong.push(`${found} in place of ${before}`)
        }
      })
      for (let round = 0; round < 6; round++) {
        expected = undefined
        await bring(round % 2 === 0 ? closing : {})
        expected = round % 2 === 0 ? 401 : 200
        const enough = count + 100
        while (count < enough) await new Promise(resolve => setTimeout(resolve, 5))
      }
      isOver = true
      await Promise.all(asking)
      connections.forEach(agent => agent.destroy())
      expect(wrong).toEqual([])
    })

    test('go on counting', async () => {
      const counted = (requests: number): Partial<PolicedCluster> => ({
        trafficPolicies: [
          trafficPolicy('counted', 'guarded', { rateLimits: [{ requests, per: '1h', by: 'Header', header: 'X-Who' }] }),
        ],
      })
      const agent = new Agent()
      const who = { 'x-who': 'an "odd" name = \\ ü' }
      await bring(counted(3))
      expect([await ask('/guarded', agent, who), await ask('/guarded', agent, who)]).toEqual([200, 200])
      expect(await bring({ ...counted(3), rules: { guarded: {}, other: { filters: [redirect] } } })).toBe('load')
      expect([await ask('/guarded', agent, who), await ask('/guarded', agent, who)]).toEqual([200, 429])
      // A limit that is raised goes on from the same counts.
      expect(await bring(counted(5))).toBe('load')
      expect([await ask('/guarded', agent, who), await ask('/guarded', agent, who)]).toEqual([200, 200])
      expect(await ask('/guarded', agent, who)).toBe(429)
      expect(await ask('/guarded', agent, { 'x-who': 'somebody else' })).toBe(200)
      agent.destroy()
    })

    test('hold for connections that nobody used meanwhile', async () => {
      await bring()
      const connections = Array.from({ length: 3 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
      const ways = [...connections.map(agent => () => ask('/guarded', agent)), multiplexed('/guarded')]
      for (const way of ways) expect(await way()).toBe(200)
      expect(await bring(closing)).toBe('load')
      for (const way of ways) expect(await way()).toBe(401)
      connections.forEach(agent => agent.destroy())
    })
  },
)
