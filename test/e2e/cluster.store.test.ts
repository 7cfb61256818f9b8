// Where a cluster keeps its objects: etcd instead of SQLite, and a backup that brings a cluster back.
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { ClusterFixture, reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const title = (text: string): string => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`

describe.skipIf(reason !== undefined)(title('the store of a cluster'), () => {
  const clusters: ClusterFixture[] = []
  const fixture = (name: string, beside?: ClusterFixture): ClusterFixture => {
    const cluster = new ClusterFixture(name, beside?.namespace)
    clusters.push(cluster)
    return cluster
  }
  // Last in, first out: the namespace belongs to the first.
  afterAll(async () => {
    for (const cluster of clusters.toReversed()) await cluster.close()
  })

  function startEtcd(cluster: ClusterFixture): string {
    const [client, peer] = ['http://127.0.0.1:2379', 'http://127.0.0.1:2380']
    const [program, args] = cluster.namespace.command('etcd', [
      '--data-dir',
      join(cluster.directory, 'etcd'),
      '--log-level',
      'error',
      '--listen-client-urls',
      client,
      '--advertise-client-urls',
      client,
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      `default=${peer}`,
    ])
    const etcd = spawn(program, args, { stdio: 'ignore' })
    onTestFinished(() => void etcd.kill())
    return client
  }

  test('up --store etcd keeps everything in etcd, and finds it again', async () => {
    const cluster = fixture('etcd')
    const client = startEtcd(cluster)
    expect(await cluster.up('--store', `etcd=${client}`)).toMatchObject({ code: 0 })
    await cluster.show('create', 'secret', 'generic', 'kept', '--from-literal=a=b')
    expect(await cluster.down()).toMatchObject({ code: 0 })
    expect(await cluster.up('--store', 'sqlite')).toMatchObject({
      code: 1,
      err: expect.stringContaining('keeps its objects in etcd, not in SQLite') as string,
    })
    expect(await cluster.up()).toMatchObject({ code: 0 })
    expect(await cluster.show('get', 'secret', 'kept', '-o', 'jsonpath={.data.a}')).toBe('Yg==')
    expect(await cluster.sampan('backup', join(cluster.directory, 'b'), '--name', cluster.name)).toMatchObject({
      code: 1,
      err: expect.stringContaining('etcdctl snapshot save') as string,
    })
    // While there is an etcd to say so to.
    expect(await cluster.down('--purge')).toMatchObject({
      code: 0,
      err: expect.stringContaining('etcdctl del --prefix /sampan/') as string,
    })
  })

  test(
    'two servers on one etcd are one cluster, and one goes on when the other is killed',
    { timeout: 180_000 },
    async () => {
      const first = fixture('first')
      const second = fixture('second', first)
      const store = ['--store', `etcd=${startEtcd(first)}`]
      expect(await first.up(...store)).toMatchObject({ code: 0 })
      const token = (await first.sampan('status', '--name', first.name, '--join-token')).out.trim()
      const tokenFile = join(second.directory, 'token')
      const advertised = '192.0.2.7'

      expect(await second.up(...store, '--join', 'nonsense')).toMatchObject({
        code: 1,
        err: expect.stringContaining('expected the token that "sampan status --join-token" prints') as string,
      })
      expect(await second.up(...store, '--join', `${token.slice(0, -43)}${'x'.repeat(43)}`)).toMatchObject({
        code: 1,
        err: expect.stringContaining('the token does not fit the cluster') as string,
      })
      expect(await second.up('--join', token)).toMatchObject({
        code: 1,
        err: expect.stringContaining('needs --store etcd=') as string,
      })
      expect(existsSync(second.dataDirectory)).toBe(false)
      writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 })
      expect(
        await second.up(...store, '--api-port', '6444', '--join-file', tokenFile, '--advertise-address', advertised),
      ).toMatchObject({ code: 1, err: expect.stringContaining(`this machine has no address ${advertised}`) as string })
      await second.run('ip', ['address', 'add', `${advertised}/32`, 'dev', 'lo'])
      expect(await second.up('--api-port', '6444', '--advertise-address', advertised)).toMatchObject({ code: 0 })
      expect(
        await second.run('curl', [
          '--silent',
          '--cacert',
          join(second.dataDirectory, 'keys/ca.crt'),
          `https://${advertised}:6444/livez`,
        ]),
      ).toMatchObject({ out: 'ok' })

      // What one writes the other reads, also what is encrypted.
      await second.show('create', 'secret', 'generic', 'shared', '--from-literal=a=b')
      expect(await first.show('get', 'secret', 'shared', '-o', 'jsonpath={.data.a}')).toBe('Yg==')
      const nodes = (
        await first.json<{ items: { metadata: { name: string }; spec: { podCIDR: string } }[] }>('get', 'nodes')
      ).items
      expect([
        new Set(nodes.map(({ metadata }) => metadata.name)).size,
        new Set(nodes.map(({ spec }) => spec.podCIDR)).size,
      ]).toEqual([2, 2])
      const apiAddresses = async (from: ClusterFixture): Promise<number> =>
        (await from.show('get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[*].addresses[*].ip}')).split(' ')
          .length
      await eventually('that both servers are listed', async () => (await apiAddresses(first)) === 2)

      const [ofSecond] = nodes
        .map(({ metadata, spec }) => ({ name: metadata.name, podCIDR: spec.podCIDR }))
        .toSorted((left, right) => (left.podCIDR < right.podCIDR ? 1 : -1))
      await second.pushBusybox()
      await first.kubectlWith(
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'talks' },
          spec: {
            nodeName: ofSecond!.name,
            terminationGracePeriodSeconds: 0,
            containers: [
              { name: 'c', image: 'sampan.local/busybox:1', command: ['sh', '-c', 'echo hello; sleep 600'] },
            ],
          },
        },
        'create',
      )
      await first.show('wait', '--for=condition=Ready', 'pod/talks', '--timeout=60s')
      expect(await first.show('logs', 'talks')).toBe('hello\n')
      expect(await first.show('exec', 'talks', '--', 'echo', 'from afar')).toBe('from afar\n')
      expect(await first.show('get', '--raw', `/api/v1/nodes/${ofSecond!.name}/proxy/healthz`)).toBe('ok')
      const namesOfImages = (): Promise<string> =>
        first.show('get', 'node', ofSecond!.name, '-o', 'jsonpath={.status.images[*].names}')
      await eventually(
        'that its node tells the image by digest and tag',
        async () =>
          /"sampan\.local\/busybox@sha256:[0-9a-f]{64}","sampan\.local\/busybox:1"/.test(await namesOfImages()),
        30_000,
      )
      await eventually('that leadership is told', async () =>
        (
          await first.show(
            '-n',
            'kube-system',
            'get',
            'events',
            '--field-selector',
            'reason=LeaderElection',
            '-o',
            'jsonpath={.items[*].message}',
          )
        ).includes(' became leader'),
      )

      const count = async (from: ClusterFixture, kind: string): Promise<number> =>
        (await from.show('get', kind, '-l', 'app=web', '-o', 'name')).split('\n').filter(line => line !== '').length
      await second.show('create', 'deployment', 'web', '--image', 'sampan.local/none:1', '--replicas', '2')
      await eventually('that the pods are there', async () => (await count(second, 'pods')) === 2)
      expect([await count(first, 'replicasets'), await count(first, 'pods')]).toEqual([1, 2])

      const leader = await first.show(
        '-n',
        'kube-system',
        'get',
        'lease',
        'kube-controller-manager',
        '-o',
        'jsonpath={.spec.holderIdentity}',
      )
      const [dies, lives] = leader.startsWith(
        `${nodes.toSorted((left, right) => (left.spec.podCIDR < right.spec.podCIDR ? -1 : 1))[0]!.metadata.name}_`,
      )
        ? [first, second]
        : [second, first]
      process.kill(await dies.serverPid(), 'SIGKILL')
      await lives.show('scale', 'deployment', 'web', '--replicas', '3')
      await eventually('that the other one scales', async () => (await count(lives, 'pods')) === 3, 30_000)
      await eventually('that one server is listed', async () => (await apiAddresses(lives)) === 1, 30_000)
      expect([await count(lives, 'replicasets'), await count(lives, 'pods')]).toEqual([1, 3])
      for (const cluster of [first, second]) expect(await cluster.down()).toMatchObject({ code: 0 })
      expect(await first.leftOvers()).toEqual([])

      // Who leaves makes room for the next one.
      expect(await first.up()).toMatchObject({ code: 0 })
      expect(await second.down('--purge')).toMatchObject({ code: 0 })
      const nodeNames = async (): Promise<string[]> =>
        (await first.show('get', 'nodes', '-o', 'name')).trim().split('\n')
      await eventually('that there is one node', async () => (await nodeNames()).length === 1)
      expect(await second.up(...store, '--api-port', '6444', '--join-file', tokenFile)).toMatchObject({ code: 0 })
      expect(await nodeNames()).toHaveLength(2)
      expect((await second.down('--purge')).err).not.toContain('the last server')
      expect(await first.down()).toMatchObject({ code: 0 })

      const elsewhere = join(first.directory, 'elsewhere')
      expect(await first.sampan('up', '--name', first.name, '--data-dir', elsewhere, ...store)).toMatchObject({
        code: 1,
        err: expect.stringContaining(
          `this etcd holds a cluster "${first.name}" already, of another data directory; join it with --join`,
        ) as string,
      })
      expect(existsSync(elsewhere)).toBe(false)
      expect((await first.down('--purge')).err).toContain('the last server of its cluster, whose objects stay in etcd')
    },
  )

  test('a backup of a running cluster brings back what was there', async () => {
    const cluster = fixture('backup')
    const file = join(cluster.directory, 'cluster.backup')
    expect(await cluster.up()).toMatchObject({ code: 0 })
    await cluster.show('create', 'secret', 'generic', 'kept', '--from-literal=a=b')
    expect(await cluster.sampan('backup', file, '--name', cluster.name)).toMatchObject({ code: 0 })
    await cluster.show('delete', 'secret', 'kept')
    expect(await cluster.sampan('restore', file, '--name', cluster.name)).toMatchObject({
      code: 1,
      err: expect.stringContaining('runs; stop it first with: sampan down') as string,
    })
    expect(await cluster.down()).toMatchObject({ code: 0 })
    const place = ['--name', cluster.name, '--data-dir', cluster.dataDirectory]
    expect(await cluster.sampan('restore', file, ...place)).toMatchObject({
      code: 1,
      err: expect.stringContaining('--force') as string,
    })
    expect(await cluster.sampan('restore', file, ...place, '--force')).toMatchObject({ code: 0 })
    expect(await cluster.up()).toMatchObject({ code: 0 })
    expect(await cluster.show('get', 'secret', 'kept', '-o', 'jsonpath={.data.a}')).toBe('Yg==')
  })
})
