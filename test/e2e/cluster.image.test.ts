// Sampan's own image as a privileged pod: a cluster within a cluster, which is what `docker run --privileged` is
// where there is no Linux of one's own.
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import type { Pod } from '../../src/api/generated/models.ts'
import { ClusterFixture, reasonToSkipCluster, succeeded, type Result } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { ownImagePod } from '../../src/testing/own-image-pod.ts'

const reason = reasonToSkipCluster()
const waitMs = 60_000

const hello = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'hello', labels: { app: 'hello' } },
  spec: {
    containers: [
      {
        name: 'main',
        image: 'sampan.local/hello:1.0.0',
        resources: { limits: { memory: '128Mi' } },
        readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
      },
    ],
  },
}

const service = `require('node:http').createServer((q, a) => a.end('hello from within')).listen(8080)`

describe.skipIf(reason !== undefined)(
  `Sampan's own image${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let cluster: ClusterFixture
    let kubeconfig = ''
    const inner = (...args: string[]): Promise<Result> =>
      cluster.kubectl('--kubeconfig', kubeconfig, '--context', 'inner', ...args)
    const within = (...command: string[]): Promise<Result> => cluster.kubectl('exec', 'sampan', '--', ...command)
    const outer = (): Promise<Pod> => cluster.json<Pod>('get', 'pod', 'sampan')

    beforeAll(async () => {
      cluster = await ClusterFixture.up('image')
      kubeconfig = join(cluster.directory, 'inner')
      succeeded(await cluster.sampan('image', '--name', cluster.name))
      succeeded(
        await cluster.kubectlWith(
          ownImagePod('/var/lib/sampan', { emptyDir: {} }, ['--tls-san', 'inner.example']),
          'apply',
        ),
      )
    })
    afterAll(() => cluster?.close())

    /** Takes the way to the inner cluster from the container, as one does with docker. */
    async function connect(): Promise<void> {
      const file = parse(succeeded(await within('cat', '/root/.kube/config')).out) as {
        clusters: { name: string; cluster: { server: string } }[]
      }
      const { podIP } = (await outer()).status
      file.clusters[0]!.cluster.server = file.clusters[0]!.cluster.server.replace('127.0.0.1', podIP!)
      writeFileSync(kubeconfig, stringify(file))
    }

    test('is a cluster that kubectl reaches from outside', async () => {
      await eventually(
        'the cluster within is up',
        async () => /cluster "inner" is up/.test((await cluster.kubectl('logs', 'sampan')).out),
        waitMs,
      )
      await connect()
      expect(succeeded(await inner('get', 'nodes', '--no-headers')).out).toMatch(/^sampan +Ready /)
      expect(succeeded(await inner('--tls-server-name', 'inner.example', 'version')).out).toContain('Server Version')
    })

    test('builds services and runs them in pods', async () => {
      const write = `mkdir /work && cd /work && echo '{"name":"hello","version":"1.0.0","main":"index.js"}' > package.json && cat > index.js`
      succeeded(await cluster.run('kubectl', ['exec', '-i', 'sampan', '--', 'sh', '-c', write], { input: service }))
      succeeded(await within('sampan', 'build', '/work', '--name', 'inner'))
      succeeded(
        await cluster.run('kubectl', ['--kubeconfig', kubeconfig, 'apply', '-f', '-'], {
          input: JSON.stringify(hello),
        }),
      )
      succeeded(await inner('wait', 'pod', 'hello', '--for=condition=Ready', '--timeout=60s'))
      const proxied = '/api/v1/namespaces/default/pods/hello:8080/proxy/'
      expect(succeeded(await inner('get', '--raw', proxied)).out).toBe('hello from within')
      expect(succeeded(await inner('exec', 'hello', '--', 'node', '--version')).out).toMatch(/^v24/)
    })

    test('has a gateway', async () => {
      const service = { name: 'hello', port: { number: 8080 } }
      const objects = [
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'hello' },
          spec: { selector: { app: 'hello' }, ports: [{ port: 8080 }] },
        },
        {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          metadata: { name: 'hello' },
          spec: {
            rules: [
              { host: 'hello.localhost', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] } },
            ],
          },
        },
      ]
      succeeded(
        await cluster.run('kubectl', ['--kubeconfig', kubeconfig, 'apply', '-f', '-'], {
          input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
        }),
      )
      const asked = ['wget', '-qO-', '--header', 'Host: hello.localhost', 'http://127.0.0.1/']
      await eventually('its answer', async () => (await within(...asked)).out === 'hello from within', waitMs)
    })

    test('comes back with its pods when its server has died', async () => {
      await within('sh', '-c', 'kill -9 $(cat /run/sampan/inner/server.pid)')
      await eventually(
        'a new container',
        async () => (await outer()).status.containerStatuses?.[0]?.restartCount === 1,
        waitMs,
      )
      await eventually('up again', async () => (await inner('get', '--raw', '/readyz')).out === 'ok', waitMs)
      succeeded(await inner('wait', 'pod', 'hello', '--for=condition=Ready', '--timeout=60s'))
    })

    test('ends its pods in order when it is stopped', async () => {
      const log = cluster.run('kubectl', ['logs', '--follow', 'sampan'])
      succeeded(await cluster.kubectl('delete', 'pod', 'sampan'))
      expect((await log).out + (await log).err).toContain('cluster "inner" is down')
    })

    test('is a file for docker, too', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'sampan-archive-'))
      try {
        const file = join(directory, 'sampan.tar')
        expect(succeeded(await cluster.sampan('image', '--archive', file)).err).toContain(`docker load -i ${file}`)
        const names = new Set<string>()
        let index = ''
        for await (const entry of createReadStream(file).pipe(extract())) {
          names.add(entry.header.name)
          if (entry.header.name === 'manifest.json') index = await text(entry)
          else entry.resume()
        }
        const [image] = JSON.parse(index) as { Config: string; RepoTags: string[]; Layers: string[] }[]
        expect(image!.RepoTags).toEqual(['sampan:0.1.0'])
        expect([image!.Config, ...image!.Layers].filter(name => !names.has(name))).toEqual([])
        expect(image!.Layers).toHaveLength(3)
      } finally {
        rmSync(directory, { recursive: true })
      }
    })
  },
)
