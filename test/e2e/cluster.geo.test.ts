// The two geo services, from source to running: delivery, requests without a pause while versions change,
// the server's sudden end, and what happens when a delivery fails.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment, Pod } from '../../src/api/generated/models.ts'
import { isAlive, signal } from '../../src/host/daemon.ts'
import { mountsBelow } from '../../src/host/mounts.ts'
import { listProcesses } from '../../src/host/processes.ts'
import {
  ClusterFixture,
  folder,
  geoDirectory,
  readText,
  reasonToSkipCluster,
  repository,
  succeeded,
  warmLayers,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import type { LoadReport } from '../../src/testing/http-load.ts'
import { underLoad } from '../../src/testing/under-load.ts'

const reason = reasonToSkipCluster()
const berlinToParis = 'distance?from=52.52,13.405&to=48.8566,2.3522'
const frontendUrl = `http://127.0.0.1:30080/${berlinToParis}`
interface Distance {
  kilometers: number
  frontend: string
  version: string
  backend: string
  backendVersion: string
}

const childrenOf = (pid: number): number[] => {
  const children = spawnSync('pgrep', ['--parent', String(pid)], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter(line => line !== '')
    .map(Number)
  return [...children, ...children.flatMap(childrenOf)]
}

describe.skipIf(reason !== undefined)(`geo${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  beforeAll(async () => {
    await warmLayers(join(geoDirectory, 'backend'), join(geoDirectory, 'frontend'))
    cluster = await ClusterFixture.up('geo')
    for (const service of ['backend', 'frontend'])
      for (const version of ['1.0.0', '2.0.0'])
        await cluster.build(join(geoDirectory, service), `geo-${service}:${version}`)
  })
  afterAll(() => cluster?.close())

  const containerdPid = (): number => Number(readText(`/run/sampan/${cluster.name}/containerd.pid`))
  const deploy = (target: string, ...args: string[]): Promise<Result> =>
    cluster.run(join(repository, 'bin/sampan'), ['deploy', '-e', 'test', target, ...args], {
      directory: geoDirectory,
      timeoutMs: 120_000,
    })
  const ask = async (url = frontendUrl): Promise<Distance> => JSON.parse(await cluster.curl(url)) as Distance
  const podsOf = async (service: string): Promise<Pod[]> =>
    (await cluster.json<{ items: Pod[] }>('get', 'pods', '-n', 'test', '-l', `app.kubernetes.io/name=${service}`)).items
  const containersOf = async (): Promise<string[]> =>
    (await cluster.json<{ items: Pod[] }>('get', 'pods', '-n', 'test')).items
      .map(
        ({ metadata, status }) =>
          `${metadata.name} ${status.podIP} ${status.containerStatuses?.map(({ containerID, restartCount }) => `${containerID} ${restartCount}`).join()}`,
      )
      .sort()

  /** Requests without a pause while `work` is done. */
  const geoUnderLoad = (work: () => Promise<unknown>): Promise<LoadReport> =>
    underLoad(cluster, { urls: [frontendUrl], keptAlive: 4, newEachTime: 4, pauseMs: 10 }, work)

  test('both services are deployed and the distance is right', async () => {
    expect(await deploy('geo-backend:1.0.0')).toMatchObject({
      code: 0,
      err: expect.stringContaining('geo-backend 1.0.0 runs in test (release 1)') as string,
    })
    const { code, out } = await deploy('geo-frontend:1.0.0', '-o', 'json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      service: 'geo-frontend',
      environment: 'test',
      namespace: 'test',
      revision: 1,
      version: '1.0.0',
      state: 'deployed',
      warnings: [],
    })
    expect(await ask()).toMatchObject({ kilometers: 877.5, version: '1.0.0', backendVersion: '1.0.0' })
    expect(await ask('http://127.0.0.1:30080/distance?from=40.7128,-74.006&to=51.5074,-0.1278')).toMatchObject({
      kilometers: 5570.2,
    })
    expect(await podsOf('geo-backend')).toHaveLength(4)
    expect(
      await cluster.curl('http://127.0.0.1:30080/distance?from=91,0&to=0,0', '--write-out', '%{http_code}'),
    ).toMatch(/latitude within 90.*502$/s)
  })

  test('new connections are spread over the instances', async () => {
    const seen = new Set<string>()
    await eventually('both answered', async () => {
      seen.add((await ask()).frontend)
      return seen.size === 2
    })
  })

  test('a pod reaches the frontend by each of its names', async () => {
    const [pod] = await podsOf('geo-backend')
    for (const name of ['geo-frontend', 'geo-frontend.test', 'geo-frontend.test.svc.cluster.local']) {
      const script = `const r = await fetch('http://${name}:8080/${berlinToParis}'); console.log(await r.text())`
      expect(
        JSON.parse(
          await cluster.show(
            'exec',
            '-n',
            'test',
            pod!.metadata.name,
            '--',
            'node',
            '--input-type=module',
            '-e',
            script,
          ),
        ),
      ).toMatchObject({ kilometers: 877.5 })
    }
  })

  test('a pod asks the API as kubernetes.default, as its service account', async () => {
    const [pod] = await podsOf('geo-backend')
    const script = `import { readFileSync } from 'node:fs'; import { get } from 'node:https'
      const read = name => readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/' + name)
      const ask = token => new Promise((resolve, reject) => get('https://kubernetes.default/api', { ca: read('ca.crt'), headers: { Authorization: 'Bearer ' + token } }, ({ statusCode }) => resolve(statusCode)).on('error', reject))
      console.log(await ask(read('token')), await ask('wrong')); process.exit()`
    expect(
      await cluster.show('exec', '-n', 'test', pod!.metadata.name, '--', 'node', '--input-type=module', '-e', script),
    ).toBe('200 401\n')
  })

  test('new versions of both come without one lost request, and so does going back', async () => {
    const rollout = await geoUnderLoad(async () => {
      succeeded(await deploy('geo-frontend:2.0.0'))
      succeeded(await deploy('geo-backend:2.0.0'))
      await eventually(
        'old instances are gone',
        async () => (await podsOf('geo-backend')).length === 4 && (await podsOf('geo-frontend')).length === 2,
        30_000,
      )
    })
    expect(rollout.failures).toEqual([])
    expect(await ask()).toMatchObject({ version: '2.0.0', backendVersion: '2.0.0' })
    const undo = await geoUnderLoad(async () => {
      await cluster.show('rollout', 'undo', '-n', 'test', 'deployment/geo-frontend')
      await cluster.show('rollout', 'status', '-n', 'test', 'deployment/geo-frontend', '--timeout=60s')
      await eventually('old instances are gone', async () => (await podsOf('geo-frontend')).length === 2, 30_000)
    })
    expect(undo.failures).toEqual([])
    expect(await ask()).toMatchObject({ version: '1.0.0', backendVersion: '2.0.0' })
    const rollback = await geoUnderLoad(async () => {
      const result = await cluster.run(join(repository, 'bin/sampan'), ['rollback', '-e', 'test', 'geo-backend'], {
        directory: geoDirectory,
        timeoutMs: 120_000,
      })
      expect(result).toMatchObject({
        code: 0,
        err: expect.stringContaining('back to release 1 (1.0.0)') as string,
      })
      await eventually('old instances are gone', async () => (await podsOf('geo-backend')).length === 4, 30_000)
    })
    expect(rollback.failures).toEqual([])
    expect(await ask()).toMatchObject({ backendVersion: '1.0.0' })
  })

  test('the server is killed: requests go on, and up takes over without touching a container', async () => {
    await eventually('old instances are gone', async () => (await containersOf()).length === 6, 30_000)
    const before = await containersOf()
    const report = await geoUnderLoad(async () => {
      process.kill(await cluster.serverPid(), 'SIGKILL')
      await eventually(
        'the API is gone',
        async () => (await cluster.kubectl('get', 'nodes', '--request-timeout=2s')).code !== 0,
      )
      expect(await cluster.sampan('status', '--name', cluster.name)).toMatchObject({ code: 3 })
      succeeded(await cluster.up())
      await cluster.show('get', 'nodes')
    })
    expect(report.failures).toEqual([])
    expect(await containersOf()).toEqual(before)
    await cluster.show('scale', '-n', 'test', 'deployment/geo-frontend', '--replicas=3')
    await cluster.show('rollout', 'status', '-n', 'test', 'deployment/geo-frontend', '--timeout=30s')
    expect(await containersOf()).toEqual(expect.arrayContaining(before) as string[])
    await cluster.show('scale', '-n', 'test', 'deployment/geo-frontend', '--replicas=2')
    expect((await containersOf()).every(line => line.endsWith(' 0'))).toBe(true)
  })

  test('containerd is killed: requests go on, and it comes back by itself', async () => {
    await eventually('old instances are gone', async () => (await containersOf()).length === 6, 30_000)
    const before = await containersOf()
    const report = await geoUnderLoad(async () => {
      process.kill(containerdPid(), 'SIGKILL')
      const [pod] = await podsOf('geo-backend')
      await eventually(
        'containers can be entered again',
        async () =>
          (await cluster.kubectl('exec', '-n', 'test', pod!.metadata.name, '--', 'node', '--version')).code === 0,
        20_000,
      )
    })
    expect(report.failures).toEqual([])
    expect(await containersOf()).toEqual(before)
  })

  test('a version that crashes: the deploy ends early, says why, and the release before is put back', async () => {
    const broken = folder(cluster.directory, 'broken')
    cpSync(join(geoDirectory, 'frontend'), broken, { recursive: true, filter: path => !path.endsWith('node_modules') })
    writeFileSync(
      join(broken, 'src/main.ts'),
      "console.log('reading settings')\nthrow new Error('no settings in /etc/geo')\n",
    )
    await cluster.build(broken, 'geo-frontend:3.0.0')
    const startMs = performance.now()
    const report = await geoUnderLoad(async () => {
      const { code, err } = await deploy('geo-frontend:3.0.0')
      expect(code).toBe(1)
      expect(err).toContain('container "geo-frontend" keeps crashing: it ended with exit code 1')
      expect(err).toContain('  | reading settings')
      expect(err).toContain('no settings in /etc/geo')
      expect(err).toMatch(/release \d+ \(2\.0\.0\) is in place as before/)
    })
    console.log(`a crashing version was given up after ${Math.round(performance.now() - startMs)} ms`)
    expect(report.failures).toEqual([])
    await cluster.show('rollout', 'status', '-n', 'test', 'deployment/geo-frontend', '--timeout=60s')
    expect(await ask()).toMatchObject({ version: '2.0.0' })
  })

  test('an image that is missing: the deploy says so; pushed afterwards, the same deploy works', async () => {
    const { code, err } = await deploy('geo-frontend:4.0.0')
    expect(code).toBe(1)
    expect(err).toMatch(
      /there is no image sampan\.local\/geo-frontend:4\.0\.0; its registry has .*2\.0\.0.*; make it with: sampan build/,
    )
    await cluster.build(join(geoDirectory, 'frontend'), 'geo-frontend:4.0.0')
    succeeded(await deploy('geo-frontend:4.0.0'))
    expect(await ask()).toMatchObject({ version: '4.0.0' })
  })

  test('the first deploy of an image that is missing, pushed afterwards, works the second time', async () => {
    const late = folder(cluster.directory, 'late')
    cpSync(join(geoDirectory, 'backend'), late, { recursive: true, filter: path => !path.endsWith('node_modules') })
    const manifest = join(late, 'app.yml')
    writeFileSync(
      manifest,
      readFileSync(manifest, 'utf8').replace('geo-backend', 'geo-late').replace('replicas: 4', 'replicas: 1'),
    )
    // Of another version than that of its folder it cannot be made.
    expect(await deploy('geo-late:1.0.9', '-f', manifest)).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no image sampan.local/geo-late:1.0.9') as string,
    })
    await cluster.build(late, 'geo-late:1.0.9')
    succeeded(await deploy('geo-late:1.0.9', '-f', manifest))
  })

  test('a typo in the manifest names line, field and the nearest name, and nothing is changed', async () => {
    const wrong = join(cluster.directory, 'app.yml')
    writeFileSync(wrong, readFileSync(join(geoDirectory, 'frontend/app.yml'), 'utf8').replace('replicas:', 'replcas:'))
    const before = await cluster.json<Deployment>('get', 'deployment', '-n', 'test', 'geo-frontend')
    const { code, err } = await deploy('geo-frontend:9.9.9', '-f', wrong)
    expect(code).toBe(1)
    expect(err).toMatch(/app\.yml:2\b.*"?replcas"?.*did you mean "?replicas"?/)
    expect(
      (await cluster.json<Deployment>('get', 'deployment', '-n', 'test', 'geo-frontend')).metadata.generation,
    ).toBe(before.metadata.generation)
  })

  test('down and up, as after a reboot, bring the same services back', async () => {
    const releases = await cluster.show('get', 'secrets', '-n', 'test', '-o', 'name')
    succeeded(await cluster.down())
    expect(await cluster.leftOvers()).toEqual([])
    succeeded(await cluster.up())
    await eventually(
      'the frontend answers',
      async () => (await ask().catch(() => undefined))?.kilometers === 877.5,
      30_000,
    )
    for (const service of ['geo-backend', 'geo-frontend'])
      await cluster.show('rollout', 'status', '-n', 'test', `deployment/${service}`, '--timeout=60s')
    expect(await cluster.show('get', 'secrets', '-n', 'test', '-o', 'name')).toBe(releases)
  })

  test('after a loss of power, up brings the same services back', async () => {
    const own = (line: string): boolean =>
      line.includes(cluster.dataDirectory) || line.includes(`/run/sampan/${cluster.name}/`)
    const shims = listProcesses().filter(({ commandLine }) => own(commandLine.join(' ')))
    const inside = shims.flatMap(({ pid }) => childrenOf(pid))
    for (const pid of [...shims.map(shim => shim.pid), ...inside]) signal(pid, 'SIGKILL')
    await eventually('all are dead', () => inside.every(pid => !isAlive(pid)))
    for (const point of mountsBelow(`/run/sampan/${cluster.name}`).toReversed()) spawnSync('umount', ['-l', point])
    rmSync(`/run/sampan/${cluster.name}`, { recursive: true, force: true })
    const link = (await cluster.run('ip', ['-brief', 'link'])).out
      .split('\n')
      .find(line => line.startsWith('sampan'))!
      .split(' ')[0]!
    for (const args of [
      ['ip', 'link', 'delete', link],
      ['nft', 'flush', 'ruleset'],
    ])
      await cluster.run(args[0]!, args.slice(1))
    succeeded(await cluster.up())
    await eventually(
      'the frontend answers',
      async () => (await ask().catch(() => undefined))?.kilometers === 877.5,
      30_000,
    )
    for (const service of ['geo-backend', 'geo-frontend'])
      await cluster.show('rollout', 'status', '-n', 'test', `deployment/${service}`, '--timeout=60s')
  })

  test('down with everything running leaves nothing', async () => {
    expect(await cluster.down('--purge')).toMatchObject({ code: 0 })
    expect(await cluster.leftOvers()).toEqual([])
  })
})
