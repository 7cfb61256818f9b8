// The streaming servers with the real kubectl, in front of programs of this machine: exec runs a shell,
// port-forward connects to a listener. WebSocket and, with kubectl's switch, SPDY.
import { spawn, spawnSync } from 'node:child_process'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { servePortForward } from '../../src/streams/port-forward-server.ts'
import { serveRemoteCommand } from '../../src/streams/remote-command-server.ts'
import { runProcess } from '../../src/testing/process-streams.ts'

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p1', namespace: 'default', uid: 'u' },
  spec: { containers: [{ name: 'c', image: 'i' }] },
  status: { phase: 'Running' },
}

const answers: Readonly<Record<string, object>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [{ name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'] }],
  },
  '/api/v1/namespaces/default/pods/p1': pod,
}

describe.skipIf(!hasKubectl)(
  `kubectl streams${hasKubectl ? '' : ' (skipped: kubectl is missing; apt-get install kubernetes-client)'}`,
  () => {
    let server: Server
    let url: string
    const echo = createTcpServer(socket => socket.pipe(socket))
    beforeAll(async () => {
      server = createServer((request, response) => {
        response.setHeader('Content-Type', 'application/json')
        response.end(JSON.stringify(answers[new URL(request.url!, 'http://localhost').pathname] ?? {}))
      })
      server.on('upgrade', (request: IncomingMessage, socket, head) => {
        const { pathname, searchParams } = new URL(request.url!, 'http://localhost')
        const options = { stdin: searchParams.get('stdin') === 'true', stdout: true, stderr: true, tty: false }
        const served = pathname.endsWith('/exec')
          ? serveRemoteCommand(request, socket, head, async () => runProcess(searchParams.getAll('command')), options)
          : servePortForward(request, socket, head, [], async port =>
              port === 81
                ? Promise.reject(new Error('nobody listens on 81'))
                : connect((echo.address() as AddressInfo).port, '127.0.0.1'),
            )
        served.catch(() => socket.destroy())
      })
      await Promise.all(
        [server, echo].map(
          listener =>
            new Promise<void>(resolve => {
              listener.listen(0, '127.0.0.1', resolve)
            }),
        ),
      )
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    })
    afterAll(() => {
      server?.closeAllConnections()
      server?.close()
      echo.close()
    })

    const kubectl = async (
      args: readonly string[],
      input: string | Buffer,
      environment: Record<string, string>,
    ): Promise<{ out: string; err: string; code: number | null }> => {
      const child = spawn('kubectl', ['--server', url, ...args], {
        env: { ...process.env, KUBECONFIG: '/dev/null', ...environment },
      })
      child.stdin.on('error', () => {})
      child.stdin.end(input)
      const code = new Promise<number | null>(resolve => {
        child.on('close', resolve)
      })
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
      return { out, err, code: await code }
    }

    for (const [transport, environment] of [
      ['WebSocket', {}],
      ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
    ] as const) {
      test(`exec over ${transport}: output, errors, exit code`, async () => {
        const result = await kubectl(
          ['exec', 'p1', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'],
          '',
          environment,
        )
        expect(result).toMatchObject({ out: 'out\n', code: 3 })
        expect(result.err).toContain('err\n')
      })

      test(`exec over ${transport}: a megabyte through stdin and back`, async () => {
        const large = 'line of text\n'.repeat(80_000)
        const result = await kubectl(['exec', '-i', 'p1', '--', 'cat'], large, environment)
        expect(result.code).toBe(0)
        expect(result.out.length).toBe(large.length)
      })

      test(`port-forward over ${transport}`, async () => {
        const child = spawn('kubectl', ['--server', url, 'port-forward', 'pod/p1', ':80', ':81'], {
          env: { ...process.env, KUBECONFIG: '/dev/null', ...environment },
        })
        let output = ''
        const ports = await new Promise<number[]>((resolve, reject) => {
          const onData = (chunk: Buffer): void => {
            output += chunk.toString()
            const found = [...output.matchAll(/127\.0\.0\.1:(\d+) -> /g)].map(match => Number(match[1]))
            if (found.length === 2) resolve(found)
          }
          child.stdout.on('data', onData)
          child.stderr.on('data', onData)
          child.on('exit', () => reject(new Error(output)))
        })
        try {
          const rounds = await Promise.all(
            [1, 2, 3].map(async round => {
              const socket = connect(ports[0]!, '127.0.0.1')
              socket.end(`hello ${round}`.repeat(20_000))
              return await text(socket)
            }),
          )
          expect(rounds.map(answer => answer.length)).toEqual([140_000, 140_000, 140_000])
          const refused = connect(ports[1]!, '127.0.0.1')
          refused.end('x')
          expect(await text(refused).catch(() => '')).toBe('')
          await new Promise(resolve => {
            setTimeout(resolve, 200)
          })
          expect(output).toContain('nobody listens on 81')
        } finally {
          child.kill()
        }
      })
    }
  },
)
