// Wrong input and a machine in trouble: one clear sentence, exit code 1, and nothing destroyed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { programPath } from '../../src/host/command.ts'
import { mountsBelow } from '../../src/host/mounts.ts'
import {
  ClusterFixture,
  folder,
  geoDirectory,
  reasonToSkipCluster,
  repository,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
/** The one sentence after `error:`. */
const complaint = ({ err }: Result): string => /^error: (.*)$/m.exec(err)?.[1] ?? err

describe.skipIf(reason !== undefined)(`trouble${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const cluster = reason === undefined ? new ClusterFixture('trouble') : undefined!
  const mounts: string[] = []
  afterAll(async () => {
    await cluster?.down('--purge')
    for (const mount of mounts) spawnSync('umount', ['-l', mount])
    await cluster?.close()
  })

  async function expectRefusal(result: Promise<Result>, sentence: RegExp): Promise<void> {
    const { code, err } = await result
    expect(complaint({ code, err, out: '' })).toMatch(sentence)
    expect(code).toBe(1)
    expect(err).not.toMatch(/\n +at /)
  }

  test('wrong words', async () => {
    await expectRefusal(
      cluster.sampan('up', '--name', 'Not_A_Name'),
      /expected a cluster name of lower-case letters, digits and dashes/,
    )
    await expectRefusal(cluster.up('--api-port', '70000'), /expected a port from 0 to 65535/)
    await expectRefusal(cluster.sampan('upp'), /unknown command 'upp'/)
    await expectRefusal(cluster.sampan('deploy', '-e', 'test', 'geo-backend:1:2'), /expected NAME:VERSION/)
    await expectRefusal(
      cluster.sampan('deploy', '-e', 'test', 'nothing:1.0.0'),
      /there is no app\.yml of a service "nothing"/,
    )
    await expectRefusal(
      cluster.sampan('build', join(geoDirectory, 'backend'), '--name', cluster.name),
      new RegExp(`there is no context "${cluster.name}"`),
    )
  })

  test('a port in use', async () => {
    const holder = cluster.spawn(process.execPath, [
      '-e',
      "require('node:net').createServer().listen(6443, '127.0.0.1', () => console.log('held'))",
    ])
    await new Promise(resolve => holder.stdout!.once('data', resolve))
    await expectRefusal(cluster.up(), /^port 6443 is in use by another program; choose another one with --api-port/)
    expect(await cluster.leftOvers()).toEqual([])
    holder.kill()
    succeeded(await cluster.up())
    succeeded(await cluster.down())
    await expectRefusal(
      cluster.sampan('build', join(geoDirectory, 'backend'), '--name', cluster.name),
      new RegExp(
        `is down, so .* start it with: sampan up --name ${cluster.name} --data-dir ${cluster.dataDirectory}, or`,
      ),
    )
  })

  test('two starts at the same time make one cluster', async () => {
    const results = await Promise.all([
      cluster.up('--api-port', '0'),
      cluster.up('--api-port', '0'),
      cluster.up('--api-port', '0'),
    ])
    expect(results.some(({ code }) => code === 0)).toBe(true)
    for (const result of results.filter(({ code }) => code !== 0))
      expect(complaint(result)).toMatch(/is being started or stopped by another command/)
    expect(await cluster.show('get', 'nodes', '--no-headers')).toMatch(/ Ready /)
    succeeded(await cluster.down('--purge'))
    expect(await cluster.leftOvers()).toEqual([])
  })

  test('containerd is missing', async () => {
    // In a mount namespace of its own, the directory that has containerd is shown without it.
    const directory = programPath()
      .split(':')
      .find(place => existsSync(join(place, 'containerd')))!
    const [real, shown] = [folder(cluster.directory, 'real'), folder(cluster.directory, 'shown')]
    const script = `mount --bind ${directory} ${real} && cd ${real} && for file in *; do [ "$file" = containerd ] || ln -s ${real}/"$file" ${shown}/"$file"; done && mount --bind ${shown} ${directory} && exec ${join(repository, 'bin/sampan')} up --name ${cluster.name} --data-dir ${cluster.dataDirectory}`
    await expectRefusal(
      cluster.run('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script]),
      /^missing on this machine: containerd; install with: apt-get install containerd$/,
    )
    expect(await cluster.leftOvers()).toEqual([])
  })

  test('a directory that is not a cluster’s, or another cluster’s', async () => {
    const foreign = folder(cluster.directory, 'foreign')
    writeFileSync(join(foreign, 'thesis.txt'), 'years of work')
    await expectRefusal(
      cluster.sampan('up', '--name', cluster.name, '--data-dir', foreign),
      /holds other things \(thesis\.txt\) .* it is not a cluster's/,
    )
    expect(await cluster.sampan('down', '--purge', '--name', cluster.name, '--data-dir', foreign)).toMatchObject({
      code: 0,
      err: expect.stringContaining('nothing to do') as string,
    })
    expect(readdirSync(foreign)).toEqual(['thesis.txt'])
    await expectRefusal(
      cluster.sampan('up', '--name', cluster.name, '--data-dir', join(foreign, 'thesis.txt')),
      /the data directory .*thesis\.txt cannot be made/,
    )

    succeeded(await cluster.up())
    succeeded(await cluster.down())
    for (const command of ['up', 'down'])
      await expectRefusal(
        cluster.sampan(command, '--name', 'other', '--data-dir', cluster.dataDirectory),
        new RegExp(`belongs to the cluster "${cluster.name}", not to "other"`),
      )
    expect(existsSync(join(cluster.dataDirectory, 'store.db'))).toBe(true)
  })

  test.each([
    ['cluster.json', /cluster\.json is damaged: expected the facts of a cluster in JSON/],
    ['store.db', /the database .*store\.db is damaged/],
    ['keys/ca.crt', /ca\.crt is damaged: expected a certificate in PEM/],
    ['keys/ca.key', /ca\.key is damaged/],
    ['keys/tokens.key', /tokens\.key is damaged/],
  ] as const)('a damaged %s', async (name, sentence) => {
    succeeded(await cluster.up())
    await cluster.kubectl('create', 'configmap', 'kept')
    succeeded(await cluster.down())
    const file = join(cluster.dataDirectory, name)
    const good = readFileSync(file)
    const bad = Buffer.from(`not what it was ${'x'.repeat(good.length)}`)
    writeFileSync(file, bad)
    try {
      await expectRefusal(cluster.up(), sentence)
      expect(readFileSync(file).equals(bad)).toBe(true)
      expect(await cluster.leftOvers()).toEqual([])
    } finally {
      await cluster.down()
      writeFileSync(file, good)
    }
    succeeded(await cluster.up())
    expect(await cluster.show('get', 'configmap', 'kept', '-o', 'name')).toBe('configmap/kept\n')
    succeeded(await cluster.down())
  })

  test('a damaged kubeconfig is left as it is', async () => {
    const good = readFileSync(cluster.kubeconfig)
    writeFileSync(cluster.kubeconfig, 'clusters: [}')
    await expectRefusal(cluster.up(), /the kubeconfig .* cannot be read/)
    expect(readFileSync(cluster.kubeconfig, 'utf8')).toBe('clusters: [}')
    expect(await cluster.leftOvers()).toEqual([])
    writeFileSync(cluster.kubeconfig, good)
    succeeded(await cluster.up())
    succeeded(await cluster.down('--purge'))
    expect(await cluster.leftOvers()).toEqual([])
  })

  test.each(['16k', '200k', '1m'])('a disk of %s is too small to start', async size => {
    mkdirSync(cluster.dataDirectory, { recursive: true })
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', cluster.dataDirectory])
    mounts.push(cluster.dataDirectory)
    await expectRefusal(cluster.up(), /the disk .*is full/)
    spawnSync('umount', ['-l', mounts.pop()!])
    expect(await cluster.leftOvers()).toEqual([])
    rmSync(cluster.dataDirectory, { recursive: true, force: true })
  })

  test('a disk that can only be read', async () => {
    mkdirSync(cluster.dataDirectory, { recursive: true })
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64m', 'tmpfs', cluster.dataDirectory])
    mounts.push(cluster.dataDirectory)
    await expectRefusal(cluster.up(), /^the data directory .* cannot be written to: EROFS/)
    spawnSync('umount', ['-l', mounts.pop()!])
    rmSync(cluster.dataDirectory, { recursive: true, force: true })
  })

  test('an etcd that does not answer', { timeout: 60_000 }, async () => {
    await expectRefusal(
      cluster.up('--store', 'etcd=http://127.0.0.1:1'),
      /^etcd at http:\/\/127\.0\.0\.1:1 does not answer .*check that it runs/,
    )
    expect(await cluster.leftOvers()).toEqual([])
  })

  test('a start that was refused does not hold its name for its data directory', async () => {
    await expectRefusal(cluster.up('--node-port-addresses', '300.0.0.1/8'), /found "300\.0\.0\.1\/8"/)
    await expectRefusal(cluster.up('--tls-san', 'a b'), /found "a b"/)
    expect(await cluster.leftOvers()).toEqual([])
    const elsewhere = ['--name', cluster.name, '--data-dir', `${cluster.dataDirectory}-elsewhere`]
    succeeded(await cluster.sampan('up', ...elsewhere))
    succeeded(await cluster.sampan('down', '--purge', ...elsewhere))
    succeeded(await cluster.down('--purge'))
  })

  test('a start that fails when containerd runs already leaves nothing running', async () => {
    succeeded(await cluster.up())
    succeeded(await cluster.down())
    const file = join(cluster.dataDirectory, 'cluster.json')
    const facts = JSON.parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, JSON.stringify({ ...facts, nodeName: 'not a name' }))
    await expectRefusal(cluster.up(), /^Node "not a name" is invalid/)
    expect(await cluster.leftOvers()).toEqual([])
    writeFileSync(file, JSON.stringify(facts))
    succeeded(await cluster.up())
    succeeded(await cluster.down('--purge'))
  })

  test('a link to the data directory and a disk in it: both outlast a stop, and a purge empties the directory', async () => {
    const place = folder(`${cluster.dataDirectory}-elsewhere`)
    symlinkSync(place, cluster.dataDirectory)
    succeeded(await cluster.up())
    const disk = folder(place, 'volumes')
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
    mounts.push(disk)
    await cluster.pushBusybox()
    const memory = { name: 'memory', emptyDir: { medium: 'Memory' } }
    const main = { name: 'main', image: 'sampan.local/busybox:1', command: ['sleep', '1000'] }
    const spec = { containers: [main], volumes: [memory], terminationGracePeriodSeconds: 0 }
    succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec }, 'create'))
    succeeded(await cluster.kubectl('wait', '--for=condition=Ready', 'pod/web', '--timeout=60s'))
    expect(mountsBelow(join(place, 'pods'))).toHaveLength(1)
    succeeded(await cluster.down())
    expect(mountsBelow(place)).toEqual([disk])
    succeeded(await cluster.up())
    succeeded(await cluster.down('--purge'))
    expect(await cluster.leftOvers()).toEqual([])
    expect(readdirSync(place)).toEqual([])
    rmSync(cluster.dataDirectory)
  })

  test('a disk that fills up while the cluster runs: writes are refused, reads go on, and it recovers', async () => {
    mkdirSync(cluster.dataDirectory, { recursive: true })
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', cluster.dataDirectory])
    mounts.push(cluster.dataDirectory)
    succeeded(await cluster.up())
    const filler = join(cluster.dataDirectory, 'filler')
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'])
    expect(statSync(filler).size).toBeGreaterThan(1 << 20)
    const large = 'x'.repeat(500_000)
    const refused = await cluster.kubectlWith(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'large' }, data: { large } },
      'create',
    )
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/disk .* is full/)
    expect(await cluster.show('get', 'nodes', '--no-headers')).toMatch(/ Ready /)
    rmSync(filler)
    await eventually(
      'it writes again',
      async () =>
        (
          await cluster.kubectlWith(
            { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'large' }, data: { large } },
            'create',
          )
        ).code === 0,
    )
    succeeded(await cluster.down())
    succeeded(await cluster.up())
    expect((await cluster.show('get', 'configmap', 'large', '-o', 'jsonpath={.data.large}')).length).toBe(large.length)
    succeeded(await cluster.down('--purge'))
    expect(await cluster.leftOvers()).toEqual([`mount: ${cluster.dataDirectory}`])
    expect(readdirSync(cluster.dataDirectory)).toEqual([])
  })
})
