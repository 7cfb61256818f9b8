// Helm 4 and a newer kubectl, as people use them: a chart with hooks, definitions and a large release through
// its whole life, and server-side apply of what is large or odd, twice.
import { createHash } from 'node:crypto'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { helm, newerKubectl } from '../../src/testing/client-programs.ts'
import { ClusterFixture, reasonToSkipCluster, repository, type Result } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const title = (text: string): string => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`

/** The same bytes each time, and none of them can be compressed. */
const noise = (bytes: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes / 32) }, (_, index) => createHash('sha256').update(`${index}`).digest()),
  ).subarray(0, bytes)

describe.skipIf(reason !== undefined)(title('clients of today'), () => {
  let cluster: ClusterFixture
  beforeAll(async () => {
    cluster = await ClusterFixture.up('helm')
    await cluster.pushBusybox()
    cpSync(join(repository, 'test/e2e/chart'), join(cluster.directory, 'chart'), { recursive: true })
    writeFileSync(join(cluster.directory, 'chart/catalogue.bin'), noise(75_000))
  })
  afterAll(() => cluster?.close())

  const run = (program: string, ...args: string[]): Promise<Result> =>
    cluster.run(program, args, { environment: { HOME: cluster.directory }, timeoutMs: 110_000 })
  async function output(program: string, ...args: string[]): Promise<string> {
    const { code, out, err } = await run(program, ...args)
    expect(`${code} ${code === 0 ? '' : err + out}`).toBe('0 ')
    return out
  }

  describe('a chart', () => {
    const helmed = (...args: string[]): Promise<string> => output(helm, ...args)
    const greeting = async (): Promise<string> => {
      const ip = await cluster.show('get', 'service', 'web', '-o', 'jsonpath={.spec.clusterIP}')
      return (await cluster.curl(`http://${ip}/greeting`)).trim()
    }
    const hookLog = (hook: string): Promise<string> => cluster.show('logs', `job/web-${hook}`)
    const history = async (): Promise<string[]> =>
      (JSON.parse(await helmed('history', 'web', '-o', 'json')) as { revision: number; status: string }[]).map(
        ({ revision, status }) => `${revision} ${status}`,
      )

    test('is installed, with its definitions and hooks', async () => {
      expect(await helmed('install', 'web', 'chart', '--wait', '--timeout', '90s')).toContain('STATUS: deployed')
      expect(await hookLog('pre-install')).toBe('pre-install of revision 1\n')
      expect(await hookLog('post-install')).toBe('post-install of revision 1\n')
      expect(await greeting()).toBe('hello')
      expect(await cluster.show('get', 'baskets', '-o', 'name')).toBe('basket.shop.example/web\n')
      const release = await cluster.json<{ data: { release: string } }>('get', 'secret', 'sh.helm.release.v1.web.v1')
      expect(release.data.release.length).toBeGreaterThan(100_000)
    })

    test('answers its test', async () => {
      expect(await helmed('test', 'web', '--timeout', '60s')).toContain('Phase:          Succeeded')
    })

    test('is upgraded', async () => {
      await helmed('upgrade', 'web', 'chart', '--set', 'greeting=good day,replicas=2', '--wait', '--timeout', '90s')
      expect(await hookLog('pre-upgrade')).toBe('pre-upgrade of revision 2\n')
      await eventually('the new page', async () => (await greeting()) === 'good day')
      expect(await cluster.show('get', 'deployment', 'web', '-o', 'jsonpath={.status.readyReplicas}')).toBe('2')
    })

    test('goes back by itself when an upgrade fails', async () => {
      const waits = ['--rollback-on-failure', '--wait', '--timeout', '10s']
      const failed = await run(helm, 'upgrade', 'web', 'chart', '--set', 'breaks=true', ...waits)
      expect(failed.code).not.toBe(0)
      expect((await history()).slice(-2)).toEqual(['3 failed', '4 deployed'])
      expect(await greeting()).toBe('good day')
    })

    test('is rolled back', async () => {
      await helmed('rollback', 'web', '1', '--wait', '--timeout', '90s')
      expect(await hookLog('post-rollback')).toBe('post-rollback of revision 1\n')
      await eventually('the old page', async () => (await greeting()) === 'hello')
      expect(await history()).toContain('5 deployed')
    })

    test('is uninstalled', async () => {
      expect(await helmed('uninstall', 'web', '--wait', '--timeout', '60s')).toContain('uninstalled')
      expect(await hookLog('post-delete')).toMatch(/^post-delete of revision \d\n$/)
      expect(await cluster.show('get', 'deployments,services,configmaps,baskets', '-o', 'name')).not.toMatch(/\/web$/m)
      expect(await helmed('list', '-o', 'json')).toBe('[]\n')
      // Definitions stay, as Helm has it.
      expect(await cluster.show('get', 'crd', '-o', 'name')).toContain('baskets.shop.example')
    })
  })

  describe('kubectl 1.35', () => {
    const applied = async (file: string, object: object): Promise<string> => {
      writeFileSync(join(cluster.directory, file), JSON.stringify(object))
      return output(newerKubectl, 'apply', '--server-side', '-f', file)
    }
    const version = (kind: string, name: string): Promise<string> =>
      cluster.show('get', kind, name, '-o', 'jsonpath={.metadata.resourceVersion} {.metadata.generation}')

    test('says both versions', async () => {
      expect(await output(newerKubectl, 'version')).toMatch(
        /^Client Version: v1\.35\.2\n(.*\n)?Server Version: v1\.36\.0\n/,
      )
    })

    test('applies a ConfigMap of 70 KB twice', async () => {
      const configMap = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'large' },
        data: { text: noise(35_000).toString('hex') },
      }
      expect(await applied('large.json', configMap)).toBe('configmap/large serverside-applied\n')
      const before = await version('configmap', 'large')
      expect(await applied('large.json', configMap)).toBe('configmap/large serverside-applied\n')
      expect(await version('configmap', 'large')).toBe(before)
    })

    test('applies a DaemonSet on the network of the host twice', async () => {
      const daemonSet = {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'exporter' },
        spec: {
          selector: { matchLabels: { app: 'exporter' } },
          template: {
            metadata: { labels: { app: 'exporter' } },
            spec: {
              hostNetwork: true,
              terminationGracePeriodSeconds: 1,
              containers: [
                {
                  name: 'main',
                  image: 'sampan.local/busybox:1',
                  command: ['sh', '-c', 'mkdir /www; echo here > /www/index.html; exec httpd -f -p 9100 -h /www'],
                  ports: [{ name: 'metrics', containerPort: 9100 }],
                },
              ],
            },
          },
        },
      }
      expect(await applied('daemon.json', daemonSet)).toBe('daemonset.apps/exporter serverside-applied\n')
      await output(newerKubectl, 'rollout', 'status', 'daemonset/exporter', '--timeout=60s')
      expect((await cluster.curl('http://127.0.0.1:9100/')).trim()).toBe('here')
      const generation = (await version('daemonset', 'exporter')).split(' ')[1]
      expect(await applied('daemon.json', daemonSet)).toBe('daemonset.apps/exporter serverside-applied\n')
      expect((await version('daemonset', 'exporter')).split(' ')[1]).toBe(generation)
      const pod = await cluster.show(
        'get',
        'pods',
        '-l',
        'app=exporter',
        '-o',
        'jsonpath={.items[0].spec.containers[0].ports}',
      )
      expect(JSON.parse(pod)).toEqual([{ name: 'metrics', containerPort: 9100, hostPort: 9100, protocol: 'TCP' }])
    })

    test('runs commands in pods and reads logs', async () => {
      expect(await output(newerKubectl, 'exec', 'daemonset/exporter', '--', 'cat', '/www/index.html')).toBe('here\n')
      await output(
        newerKubectl,
        'run',
        'says',
        '--image=sampan.local/busybox:1',
        '--restart=Never',
        '--',
        'echo',
        'words',
      )
      await output(newerKubectl, 'wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/says', '--timeout=30s')
      expect(await output(newerKubectl, 'logs', 'says')).toBe('words\n')
    })
  })
})
