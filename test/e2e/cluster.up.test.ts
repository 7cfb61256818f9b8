// `sampan up`, `status` and `down` as people use them.
import { mkdirSync, statSync, writeFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { hasSystemd } from '../../src/host/process-place.ts'
import { connectControl } from '../../src/main/control-socket.ts'
import { placesOf } from '../../src/main/data-directory.ts'
import {
  ClusterFixture,
  geoDirectory,
  readText,
  reasonToSkipCluster,
  sampanProgram,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const title = (text: string): string => `${text}${reason === undefined ? '' : ` (skipped: ${reason})`}`

interface Kubeconfig {
  'current-context': string
  clusters: { name: string; cluster: { server: string } }[]
  users: { name: string }[]
  contexts: { name: string }[]
}
const kubeconfigOf = (cluster: ClusterFixture): Kubeconfig => parse(readText(cluster.kubeconfig)) as Kubeconfig

describe.skipIf(reason !== undefined)(title('one cluster'), () => {
  const cluster = reason === undefined ? new ClusterFixture('up') : undefined!
  afterAll(() => cluster?.close())

  test('status and down say that nothing runs', async () => {
    expect(await cluster.sampan('status', '--name', cluster.name)).toMatchObject({
      code: 3,
      out: `cluster "${cluster.name}" is down; start it with: sampan up --name ${cluster.name}\n`,
    })
    const json = await cluster.sampan('status', '--name', cluster.name, '-o', 'json')
    expect(json.code).toBe(3)
    expect(JSON.parse(json.out)).toEqual({ name: cluster.name, running: false })
    expect(await cluster.down()).toMatchObject({ code: 0, err: expect.stringContaining('nothing to do') as string })
  })

  test.skipIf(hasSystemd())('install and uninstall say that services need systemd (skipped with systemd)', async () => {
    for (const [command, instead] of [
      ['install', 'up'],
      ['uninstall', 'down'],
    ] as const)
      expect(await cluster.sampan(command, '--name', cluster.name)).toMatchObject({
        code: 1,
        err: `error: services of the machine need systemd, which does not run here; use: sampan ${instead} --name ${cluster.name}\n`,
      })
  })

  test('up shows its steps and leaves a context beside those of others', async () => {
    mkdirSync(dirname(cluster.kubeconfig), { recursive: true })
    writeFileSync(
      cluster.kubeconfig,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'work',
        preferences: { colors: true },
        clusters: [{ name: 'work', cluster: { server: 'https://work.example:6443' } }],
        users: [{ name: 'me', user: { token: 'secret' } }],
        contexts: [{ name: 'work', context: { cluster: 'work', user: 'me', namespace: 'team' } }],
      }),
      { mode: 0o644 },
    )
    const { code, err } = await cluster.up()
    expect(code).toBe(0)
    for (const step of [
      'API server answers',
      'image registry answers',
      'service rules are in the kernel',
      'container runtime runs',
      'node is Ready',
    ])
      expect(err).toMatch(new RegExp(`✓ ${step} +\\d+\\.\\d\\d s\\n`))
    expect(err).toContain(`cluster "${cluster.name}" is up`)
    const kubeconfig = kubeconfigOf(cluster)
    expect(kubeconfig).toMatchObject({ 'current-context': cluster.name, preferences: { colors: true } })
    expect(kubeconfig.contexts.map(({ name }) => name)).toEqual(['work', cluster.name])
    expect(kubeconfig.contexts[0]).toEqual({
      name: 'work',
      context: { cluster: 'work', user: 'me', namespace: 'team' },
    })
    expect(kubeconfig.users[0]).toEqual({ name: 'me', user: { token: 'secret' } })
    expect(statSync(cluster.kubeconfig).mode & 0o777).toBe(0o600)
    expect(await cluster.show('get', 'nodes', '--no-headers')).toMatch(/ Ready /)
  })

  test('a second up changes nothing', async () => {
    const before = [
      readText(cluster.kubeconfig),
      await cluster.serverPid(),
      await cluster.show('get', '--raw', '/version'),
    ]
    expect(await cluster.up()).toMatchObject({ code: 0, err: expect.stringContaining('is up already') as string })
    expect(await cluster.up('--api-port', '0', '--tls-san', 'other')).toMatchObject({
      code: 0,
      err: expect.stringContaining('so --api-port, --tls-san changed nothing') as string,
    })
    expect(JSON.parse((await cluster.up('-o', 'json')).out)).toMatchObject({ changed: false, context: cluster.name })
    expect([
      readText(cluster.kubeconfig),
      await cluster.serverPid(),
      await cluster.show('get', '--raw', '/version'),
    ]).toEqual(before)
    expect(
      await cluster.sampan('up', '--name', cluster.name, '--data-dir', join(cluster.directory, 'other')),
    ).toMatchObject({
      code: 1,
      err: expect.stringContaining(`runs with the data directory ${cluster.dataDirectory}`) as string,
    })
  })

  test('status tells how it is, without being told where the data is', async () => {
    const { code, out } = await cluster.sampan('status', '--name', cluster.name)
    expect(code).toBe(0)
    expect(out).toMatch(/^node +\S+ Ready$/m)
    expect(out).toMatch(/^pods +0 running of 0$/m)
    expect(out).toContain(cluster.dataDirectory)
    const json = JSON.parse((await cluster.sampan('status', '--name', cluster.name, '-o', 'json')).out) as object
    expect(json).toMatchObject({
      name: cluster.name,
      running: true,
      url: 'https://127.0.0.1:6443',
      ready: true,
      pods: { total: 0, running: 0 },
    })
  })

  test('who is not root is told that the cluster is root’s, whatever is asked', async () => {
    const asNobody = (...args: string[]): ReturnType<ClusterFixture['run']> =>
      cluster.run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', sampanProgram, ...args], {
        environment: { HOME: cluster.directory, SAMPAN_CACHE: '/nonexistent' },
        directory: '/',
      })
    for (const command of [['status'], ['down'], ['backup', '/tmp/none'], ['restore', '/tmp/none']])
      expect(await asNobody(...command, '--name', cluster.name), command[0]).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringMatching(
          `^error: the cluster "${cluster.name}" runs on this machine, but it is root's.* sudo sampan ${command[0]}`,
        ) as string,
      })
    expect(await asNobody('status', '--name', 'unknown')).toMatchObject({ code: 3 })
    // What only needs the API goes by the kubeconfig, whoever's cluster it is.
    expect(await asNobody('build', join(geoDirectory, 'backend'), '--name', cluster.name)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: (there is no context|the kubeconfig .* cannot be read)/) as string,
    })
  })

  test('up keeps what somebody put into the context', async () => {
    await cluster.show('config', 'set-context', cluster.name, '--namespace', 'kube-system')
    expect(await cluster.down()).toMatchObject({ code: 0 })
    expect(await cluster.up()).toMatchObject({ code: 0 })
    expect(await cluster.show('get', 'services', '-o', 'name')).toBe('service/kube-dns\n')
    await cluster.show('config', 'unset', `contexts.${cluster.name}.namespace`)
  })

  test('nobody gets in without a certificate or a token', async () => {
    const code = (...options: string[]): Promise<string> =>
      cluster.curl(
        'https://127.0.0.1:6443/api/v1/namespaces',
        '--insecure',
        '--output',
        '/dev/null',
        '--write-out',
        '%{http_code}',
        ...options,
      )
    expect([await code(), await code('--header', 'Authorization: Bearer guessed')]).toEqual(['403', '401'])
  })

  test('down leaves nothing but the data, up brings them back, purge deletes them; twice', async () => {
    for (let round = 1; round <= 2; round++) {
      await cluster.show('create', 'configmap', 'kept', `--from-literal=round=${round}`)
      expect(await cluster.down()).toMatchObject({ code: 0 })
      expect(await cluster.leftOvers()).toEqual([])
      expect(await cluster.sampan('status', '--name', cluster.name)).toMatchObject({ code: 3 })
      expect(await cluster.up()).toMatchObject({ code: 0 })
      expect(await cluster.show('get', 'configmap', 'kept', '-o', 'jsonpath={.data.round}')).toBe(String(round))
      expect(await cluster.down('--purge')).toMatchObject({ code: 0 })
      expect(await cluster.leftOvers()).toEqual([])
      expect(existsSync(cluster.dataDirectory)).toBe(false)
      expect(kubeconfigOf(cluster).contexts.map(({ name }) => name)).toEqual(['work'])
      expect(await cluster.up()).toMatchObject({ code: 0 })
    }
  })

  test('down finds the cluster by its name alone', async () => {
    expect(await cluster.sampan('down', '--name', cluster.name)).toMatchObject({ code: 0 })
    expect(await cluster.leftOvers()).toEqual([])
  })

  test('a server that is told to stop while it starts stops', async () => {
    const { controlSocket } = placesOf(cluster.name, cluster.dataDirectory)
    const starting = cluster.up()
    const server = await eventually('a server', () => connectControl(controlSocket))
    await server.stop(20, () => {})
    expect(await starting).toMatchObject({ code: 0 })
    expect(await cluster.down()).toMatchObject({ code: 0 })
    expect(await cluster.leftOvers()).toEqual([])
  })
})

describe.skipIf(reason !== undefined)(title('two clusters side by side'), () => {
  const one = reason === undefined ? new ClusterFixture('side1') : undefined!
  const two = reason === undefined ? new ClusterFixture('side2', one.namespace) : undefined!
  afterAll(async () => {
    await two?.close()
    await one?.close()
  })

  test('have addresses, rules and data of their own', async () => {
    expect(
      (await Promise.all([one.up('--api-port', '0'), two.up('--api-port', '0')])).map(({ code, err }) => [code, err]),
    ).toEqual([
      [0, expect.any(String)],
      [0, expect.any(String)],
    ])
    const servers = [one, two].map(cluster => kubeconfigOf(cluster).clusters[0]!.cluster.server)
    expect(new Set(servers).size).toBe(2)
    await one.show('create', 'configmap', 'mine')
    expect(await two.show('get', 'configmap', '-o', 'name')).not.toContain('mine')
    expect((await one.run('nft', ['list', 'tables'])).out.trim().split('\n')).toHaveLength(2)
    const addresses = await Promise.all(
      [one, two].map(cluster => cluster.show('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}')),
    )
    expect(new Set(addresses).size).toBe(2)
  })

  test('ending one leaves the other alone', async () => {
    expect(await one.down('--purge')).toMatchObject({ code: 0 })
    expect(await two.show('get', 'nodes', '--no-headers')).toMatch(/ Ready /)
    expect((await two.run('nft', ['list', 'tables'])).out.trim().split('\n')).toHaveLength(1)
    expect(await two.down('--purge')).toMatchObject({ code: 0 })
    expect(await one.leftOvers()).toEqual([])
    expect(await two.leftOvers()).toEqual([])
  })
})
