// The node agent behind the real API server, looked at with the real kubectl.
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pods, serviceAccounts } from '../../src/api/resources.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { startNodeAgent, type NodeAgent } from '../../src/node/node-agent.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import {
  privateContainerd,
  reasonToSkip,
  testImage,
  type PrivateContainerd,
} from '../../src/testing/private-containerd.ts'

const reason =
  reasonToSkip() ??
  (spawnSync('kubectl', ['version', '--client']).status === 0
    ? undefined
    : 'kubectl is missing; apt-get install kubernetes-client')
const network = {
  podCidr: '10.80.0.0/24',
  serviceCidr: '10.43.0.0/16',
  dnsAddress: '10.43.0.10',
  nodeAddress: '10.80.255.1',
  domain: 'cluster.local',
}

describe.skipIf(reason !== undefined)(
  `kubectl and the node agent${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let place: PrivateContainerd
    let server: TestServer
    let agent: NodeAgent | undefined
    let kubeconfig: string
    beforeAll(async () => {
      ;[place, server] = await Promise.all([
        privateContainerd('kubectl', network.podCidr),
        startTestServer({ findNodeStreams: () => agent }),
      ])
      kubeconfig = join(place.directory, 'kubeconfig')
      writeFileSync(
        kubeconfig,
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': 'test',
          contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
          clusters: [
            {
              name: 'test',
              cluster: {
                server: `https://127.0.0.1:${server.port}`,
                'certificate-authority-data': Buffer.from(server.keys.authority.certificate).toString('base64'),
              },
            },
          ],
          users: [
            {
              name: 'test',
              user: {
                'client-certificate-data': Buffer.from(server.keys.admin.certificate).toString('base64'),
                'client-key-data': Buffer.from(server.keys.admin.key).toString('base64'),
              },
            },
          ],
        }),
      )
      await server.local.create(serviceAccounts, { metadata: { name: 'default', namespace: 'default' } })
      agent = await startNodeAgent({
        client: server.as('system:node:node-1', ['system:nodes']),
        runtime: place.runtime,
        nodeName: 'node-1',
        network,
        dataDirectory: join(place.directory, 'node'),
        clock: machineClock,
        logger: silentLogger,
      })
    })
    afterAll(async () => {
      await agent?.stop()
      await server?.close()
      await place?.close()
    })

    const kubectl = async (...args: string[]): Promise<{ out: string; err: string; code: number | null }> => {
      const child = spawn('kubectl', args, {
        env: { ...process.env, KUBECONFIG: kubeconfig },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const code = new Promise<number | null>(resolve => {
        child.on('close', resolve)
      })
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
      return { out, err, code: await code }
    }
    const launch = async (name: string, command: string[]): Promise<void> => {
      await server.local.create(pods, {
        metadata: { name, namespace: 'default' },
        spec: {
          nodeName: 'node-1',
          automountServiceAccountToken: false,
          containers: [{ name: 'main', image: testImage, command }],
        },
      })
      await eventually(`${name} ready`, () =>
        server.local
          .informer(pods)
          .get({ namespace: 'default', name })
          ?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
      )
    }

    test('get, logs, exec, cp, port-forward, describe, delete', async () => {
      const startMs = performance.now()
      await launch('web', [
        'sh',
        '-c',
        'echo hello; mkdir /www; echo page > /www/index.html; httpd -p 127.0.0.1:8080 -h /www; trap "exit 0" TERM; sleep 1000000 & wait',
      ])
      console.log(`pod ready behind the API server after ${Math.round(performance.now() - startMs)} ms`)
      expect((await kubectl('get', 'pod', 'web', '--no-headers')).out).toMatch(/^web\s+1\/1\s+Running\s+0/)
      expect((await kubectl('get', 'nodes', '--no-headers')).out).toMatch(/^node-1\s+Ready\s+<none>\s+\S+\s+v1\.36\.0/)
      expect((await kubectl('logs', 'web')).out).toBe('hello\n')
      expect(await kubectl('exec', 'web', '--', 'sh', '-c', 'echo $HOSTNAME; exit 4')).toMatchObject({
        out: 'web\n',
        code: 4,
      })
      expect((await kubectl('exec', 'web', '--', 'nothing')).err).toMatch(/executable file not found/)
      const local = join(place.directory, 'page')
      expect(await kubectl('cp', 'web:/www/index.html', local)).toMatchObject({ code: 0 })
      expect(readFileSync(local, 'utf8')).toBe('page\n')
      const forward = spawn('kubectl', ['port-forward', 'web', ':8080'], {
        env: { ...process.env, KUBECONFIG: kubeconfig },
      })
      const port = await new Promise<number>(resolve => {
        forward.stdout.on('data', (chunk: Buffer) => {
          const found = /127\.0\.0\.1:(\d+)/.exec(chunk.toString())
          if (found !== null) resolve(Number(found[1]))
        })
      })
      const socket = connect(port, '127.0.0.1')
      socket.write('GET /index.html HTTP/1.0\r\n\r\n')
      expect(await text(socket)).toContain('page')
      forward.kill()
      expect((await kubectl('describe', 'pod', 'web')).out).toMatch(/Created\s+\S+\s+kubelet\s+Created container: main/)
      expect(await kubectl('delete', 'pod', 'web')).toMatchObject({ code: 0 })
    })

    test('kubectl run, attached, gives back the output', async () => {
      const overrides = JSON.stringify({ spec: { nodeName: 'node-1', automountServiceAccountToken: false } })
      const result = await kubectl(
        'run',
        'once',
        '--rm',
        '-i',
        '--restart=Never',
        `--image=${testImage}`,
        `--overrides=${overrides}`,
        '--',
        'sh',
        '-c',
        'sleep 0.5; echo done',
      )
      expect(result.out).toContain('done')
      expect(result.code).toBe(0)
    })

    test('logs of what does not run yet', async () => {
      await server.local.create(pods, {
        metadata: { name: 'waits', namespace: 'default' },
        spec: {
          nodeName: 'node-1',
          automountServiceAccountToken: false,
          containers: [{ name: 'main', image: 'localhost:1/none:1' }],
        },
      })
      await eventually(
        'waiting',
        () =>
          server.local.informer(pods).get({ namespace: 'default', name: 'waits' })?.status.containerStatuses?.[0]?.state
            ?.waiting?.reason === 'ImagePullBackOff',
      )
      expect((await kubectl('logs', 'waits')).err).toBe(
        'Error from server (BadRequest): container "main" in pod "waits" is waiting to start: trying and failing to pull image\n',
      )
      expect((await kubectl('exec', 'waits', '--', 'true')).err).toContain('container not found ("main")')
      await kubectl('delete', 'pod', 'waits', '--now')
    })
  },
)
