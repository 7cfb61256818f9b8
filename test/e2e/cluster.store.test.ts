// Where a cluster keeps its objects: etcd instead of SQLite, and a backup that brings a cluster back.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { ClusterFixture, reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'

const reason = reasonToSkipCluster()
const title = (text: string): string => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`

describe.skipIf(reason !== undefined)(title('the store of a cluster'), () => {
  const clusters: ClusterFixture[] = []
  const fixture = (name: string): ClusterFixture => {
    const cluster = new ClusterFixture(name)
    clusters.push(cluster)
    return cluster
  }
  afterAll(async () => { for (const cluster of clusters) await cluster.close() })

  test('up --store etcd keeps everything in etcd, and finds it again', async () => {
    const cluster = fixture('etcd')
    const [client, peer] = ['http://127.0.0.1:2379', 'http://127.0.0.1:2380']
    const [program, args] = cluster.namespace.command('etcd', [
      '--data-dir', join(cluster.directory, 'etcd'), '--log-level', 'error', '--listen-client-urls', client, '--advertise-client-urls', client,
      '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`,
    ])
    const etcd = spawn(program, args, { stdio: 'ignore' })
    onTestFinished(() => void etcd.kill())
    expect(await cluster.up('--store', `etcd=${client}`)).toMatchObject({ code: 0 })
    await cluster.show('create', 'secret', 'generic', 'kept', '--from-literal=a=b')
    expect(await cluster.down()).toMatchObject({ code: 0 })
    expect(await cluster.up('--store', 'sqlite')).toMatchObject({ code: 1, err: expect.stringContaining('keeps its objects in etcd, not in SQLite') as string })
    expect(await cluster.up()).toMatchObject({ code: 0 })
    expect(await cluster.show('get', 'secret', 'kept', '-o', 'jsonpath={.data.a}')).toBe('Yg==')
    expect(await cluster.sampan('backup', join(cluster.directory, 'b'), '--name', cluster.name)).toMatchObject({ code: 1, err: expect.stringContaining('etcdctl snapshot save') as string })
  })

  test('a backup of a running cluster brings back what was there', async () => {
    const cluster = fixture('backup')
    const file = join(cluster.directory, 'cluster.backup')
    expect(await cluster.up()).toMatchObject({ code: 0 })
    await cluster.show('create', 'secret', 'generic', 'kept', '--from-literal=a=b')
    expect(await cluster.sampan('backup', file, '--name', cluster.name)).toMatchObject({ code: 0 })
    await cluster.show('delete', 'secret', 'kept')
    expect(await cluster.sampan('restore', file, '--name', cluster.name)).toMatchObject({ code: 1, err: expect.stringContaining('runs; stop it first with: sampan down') as string })
    expect(await cluster.down()).toMatchObject({ code: 0 })
    const place = ['--name', cluster.name, '--data-dir', cluster.dataDirectory]
    expect(await cluster.sampan('restore', file, ...place)).toMatchObject({ code: 1, err: expect.stringContaining('--force') as string })
    expect(await cluster.sampan('restore', file, ...place, '--force')).toMatchObject({ code: 0 })
    expect(await cluster.up()).toMatchObject({ code: 0 })
    expect(await cluster.show('get', 'secret', 'kept', '-o', 'jsonpath={.data.a}')).toBe('Yg==')
  })
})
