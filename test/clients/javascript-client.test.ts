// The official JavaScript client against a cluster in the test's process: what it does beyond single calls.
import { createServer, type AddressInfo, type Server } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  AppsV1Api,
  CoreV1Api,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  PatchStrategy,
  PortForward,
  VersionApi,
  makeInformer,
  setHeaderOptions,
  type KubernetesObject,
  type V1ConfigMap,
  type V1Status,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configMaps } from '../../src/api/resources.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { processStreams } from '../../src/testing/process-streams.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'

let cluster: TestCluster
let config: KubeConfig
let core: CoreV1Api
let echo: Server
const namespace = 'default'

beforeAll(async () => {
  echo = createServer(socket => socket.pipe(socket))
  await new Promise<void>(resolve => {
    echo.listen(0, '127.0.0.1', resolve)
  })
  const streams = processStreams({ logs: 'one\ntwo\n', port: () => (echo.address() as AddressInfo).port })
  cluster = await startTestCluster({ nodes: 1, findNodeStreams: () => streams })
  const { keys, port } = cluster.server
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64')
  config = new KubeConfig()
  config.loadFromClusterAndUser(
    {
      name: 'test',
      server: `https://127.0.0.1:${port}`,
      caData: base64(keys.authority.certificate),
      skipTLSVerify: false,
    },
    { name: 'admin', certData: base64(keys.admin.certificate), keyData: base64(keys.admin.key) },
  )
  core = config.makeApiClient(CoreV1Api)
  await eventually(
    'the service account',
    async () => (await cluster.server.call('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200,
  )
  await core.createNamespacedPod({
    namespace,
    body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x:1' }] } },
  })
  await eventually(
    'the pod runs',
    async () => (await core.readNamespacedPod({ namespace, name: 'p' })).status?.phase === 'Running',
  )
})
afterAll(async () => {
  await cluster.stop()
  echo.close()
})

describe('an informer', () => {
  const list = (): Promise<{ items: V1ConfigMap[] }> =>
    core.listNamespacedConfigMap({ namespace, labelSelector: 'watched' })
  const path = `/api/v1/namespaces/${namespace}/configmaps`

  /** More changes than the server keeps for watches that resume. */
  async function forgetChanges(): Promise<void> {
    const { local } = cluster.server
    const { metadata } = await local.create(configMaps, { metadata: { namespace, name: 'busy' } })
    const { resourceVersion } = metadata
    for (let round = 0; round < 100; round++)
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          local.create(configMaps, { metadata: { namespace, name: `busy-${round}-${index}` } }),
        ),
      )
    const answer = await cluster.server.call(
      'GET',
      `${path}?watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}`,
    )
    expect(answer.text).toContain('"code":410')
  }

  test('sees what is there and what happens, and begins again after 410', async () => {
    const seen: string[] = []
    const informer = makeInformer<V1ConfigMap>(config, path, list as never, 'watched')
    for (const event of ['add', 'update', 'delete'] as const)
      informer.on(event, object => seen.push(`${event} ${object.metadata?.name} ${object.data?.['v'] ?? ''}`))
    const failures: unknown[] = []
    informer.on('error', error => failures.push(error))
    const write = (name: string, v: string): Promise<unknown> =>
      core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { watched: '' } }, data: { v } } })
    await write('before', '1')
    await informer.start()
    await write('after', '1')
    await core.patchNamespacedConfigMap(
      { namespace, name: 'after', body: { data: { v: '2' } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
    await core.deleteNamespacedConfigMap({ namespace, name: 'before' })
    await eventually('three changes', () => seen.includes('delete before 1'))
    expect(seen).toEqual(['add before 1', 'add after 1', 'update after 2', 'delete before 1'])

    await informer.stop()
    await write('meanwhile', '1')
    await core.deleteNamespacedConfigMap({ namespace, name: 'after' })
    await forgetChanges()
    await informer.start()
    await eventually('the list again', () => informer.get('meanwhile', namespace))
    await eventually('the deletion', () => seen.includes('delete after 2'))
    // Stopping breaks the watch off.
    expect(failures.filter(error => (error as Error).name !== 'AbortError')).toEqual([])
    await informer.stop()
  }, 30_000)
})

describe('patches', () => {
  const patch = async (strategy: string, body: unknown): Promise<V1ConfigMap> =>
    core.patchNamespacedConfigMap(
      {
        namespace,
        name: 'patched',
        body: body as object,
        fieldManager: 'js',
        force: strategy === PatchStrategy.ServerSideApply ? true : undefined,
      } as never,
      setHeaderOptions('Content-Type', strategy),
    )

  test.each([
    [PatchStrategy.JsonPatch, [{ op: 'replace', path: '/data/a', value: 'json' }], 'json'],
    [PatchStrategy.MergePatch, { data: { a: 'merge' } }, 'merge'],
    [PatchStrategy.StrategicMergePatch, { data: { a: 'strategic' } }, 'strategic'],
    [
      PatchStrategy.ServerSideApply,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'patched' }, data: { a: 'apply' } },
      'apply',
    ],
  ])('%s', async (strategy, body, expected) => {
    // The case before may have left it.
    await core
      .createNamespacedConfigMap({ namespace, body: { metadata: { name: 'patched' }, data: { a: '1' } } })
      .catch(() => {})
    expect((await patch(strategy, body)).data).toEqual({ a: expected })
  })
})

describe('streams', () => {
  test('exec: output, input and the exit code', async () => {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    const status = Promise.withResolvers<V1Status>()
    const output = text(stdout)
    await new Exec(config).exec(
      namespace,
      'p',
      'c',
      ['sh', '-c', 'read word; echo got $word; exit 3'],
      stdout,
      null,
      stdin,
      false,
      status.resolve,
    )
    stdin.write('it\n')
    expect((await status.promise).details?.causes?.[0]).toMatchObject({ reason: 'ExitCode', message: '3' })
    stdout.end()
    expect(await output).toBe('got it\n')
  })

  test('port-forward', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()]
    await new PortForward(config).portForward(namespace, 'p', [80], output, null, input)
    input.write('hello')
    const [data] = await new Promise<Buffer[]>(resolve => {
      output.once('data', (chunk: Buffer) => resolve([chunk]))
    })
    expect(data!.toString()).toBe('hello')
    input.end()
  })

  test('logs', async () => {
    const output = new PassThrough()
    const found = text(output)
    await new Log(config).log(namespace, 'p', 'c', output, { tailLines: 1 })
    expect(await found).toBe('two\n')
  })
})

test('KubernetesObjectApi finds the resource of a kind by discovery, and creates, reads, patches, lists and deletes', async () => {
  const client = KubernetesObjectApi.makeApiClient(config)
  const spec = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd', namespace },
    spec: {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } },
    },
  }
  const header = { apiVersion: spec.apiVersion, kind: spec.kind, metadata: spec.metadata }
  await client.create(spec)
  expect((await client.read(header)).metadata?.name).toBe('d')
  const patched = await client.patch(
    { ...header, metadata: { ...spec.metadata, labels: { x: 'y' } } } as KubernetesObject,
    undefined,
    undefined,
    'js',
    undefined,
    PatchStrategy.MergePatch,
  )
  expect(patched.metadata?.labels).toEqual({ x: 'y' })
  expect((await client.list('apps/v1', 'Deployment', namespace)).items).toHaveLength(1)
  await client.delete(header)
  await eventually('it is gone', () =>
    config
      .makeApiClient(AppsV1Api)
      .listNamespacedDeployment({ namespace })
      .then(({ items }) => items.length === 0),
  )
  expect((await config.makeApiClient(VersionApi).getCode()).gitVersion).toMatch(/^v1\.36/)
})
