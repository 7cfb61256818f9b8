// Deliveries against a real API server in this process. Controllers and nodes are played by the test:
// `answer` sets what a Deployment controller would report.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isNotFound } from '../api/api-error.ts'
import type { Deployment, Pod, ReplicaSet } from '../api/generated/models.ts'
import { deployments, namespaces, pods, replicaSets, secrets, serviceAccounts, services } from '../api/resources.ts'
import { FakeClock, settle } from '../testing/fake-clock.ts'
import { eventually } from '../testing/eventually.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { deploy, rollback, type DeployOptions } from './deploy.ts'
import { readManifest } from './manifest/read-manifest.ts'
import { ReleaseHistory, type Release } from './release-history.ts'

const manifest = (text = 'name: web\nreplicas: 2\nports: { http: 80 }') => readManifest('app.yml', text, 'test')

let server: TestServer
let clock: FakeClock
let options: DeployOptions
let said: string[]
let stopAnswering = (): void => {}
beforeEach(async () => {
  server = await startTestServer()
  clock = new FakeClock()
  said = []
  options = {
    client: server.local,
    clock,
    timeoutMs: 60_000,
    report: { step: text => said.push(text), waiting: text => said.push(`… ${text}`), note: text => said.push(text) },
    readLog: async (_namespace, pod, container, previous) =>
      `${pod}/${container}${previous ? ' before' : ''}\nlast words\n`,
  }
})
afterEach(async () => {
  stopAnswering()
  await server.close()
})

/** Plays the Deployment controller: reports every new generation as rolled out, or as `outcome` says. */
function answer(outcome: (deployment: Deployment) => 'ready' | 'silent' = () => 'ready'): void {
  const busy = new Set<string>()
  stopAnswering = server.local.informer(deployments).subscribe(({ type, object }) => {
    const { generation = 0, uid } = object.metadata
    if (
      type === 'DELETED' ||
      (object.status.observedGeneration ?? 0) >= generation ||
      busy.has(`${uid}/${generation}`) ||
      outcome(object) === 'silent'
    )
      return
    busy.add(`${uid}/${generation}`)
    const count = object.spec.replicas ?? 1
    const status = {
      observedGeneration: generation,
      replicas: count,
      updatedReplicas: count,
      readyReplicas: count,
      availableReplicas: count,
    }
    void server.local.update(deployments, { ...object, status }, { subresource: 'status' })
  })
}

const image = async (): Promise<string> =>
  (await server.local.get(deployments, { namespace: 'test', name: 'web' })).spec.template.spec!.containers[0]!.image!
const states = async (): Promise<string[]> =>
  (await new ReleaseHistory(server.local, 'test', 'web').list()).map(
    ({ revision, version, state }) => `${revision} ${version} ${state}`,
  )
const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => (error as Error).message,
  )

/** A ReplicaSet and a pod of the Deployment, as its controllers would have made them, in trouble. */
async function addFailingPod(deployment: Deployment, revision: number): Promise<void> {
  const labels = { 'app.kubernetes.io/name': 'web' }
  const owner = (kind: string, { metadata: { name, uid } }: Deployment | ReplicaSet) => [
    { apiVersion: 'apps/v1', kind, name, uid, controller: true },
  ]
  const set = await server.local.create<ReplicaSet>(replicaSets, {
    metadata: {
      name: `web-${revision}`,
      namespace: 'test',
      labels,
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
      ownerReferences: owner('Deployment', deployment),
    },
    spec: { selector: { matchLabels: labels }, template: deployment.spec.template },
  })
  await server.local.create(serviceAccounts, { metadata: { name: 'default', namespace: 'test' } })
  await server.local.create<Pod>(pods, {
    metadata: { name: `web-${revision}-a`, namespace: 'test', labels, ownerReferences: owner('ReplicaSet', set) },
    spec: { containers: [{ name: 'web', image: 'x' }] },
  })
  const containerStatuses = [
    {
      name: 'web',
      image: 'x',
      imageID: '',
      ready: false,
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1 } },
    },
  ]
  await server.local.patch(
    pods,
    { namespace: 'test', name: `web-${revision}-a` },
    { type: 'merge', value: { status: { containerStatuses } } },
    { subresource: 'status' },
  )
}

/** Reports every release but those of `version` as rolled out; that one crashes. */
function answerExcept(version: string): void {
  const failing = (deployment: Deployment): boolean =>
    deployment.spec.template.spec!.containers[0]!.image!.endsWith(`:${version}`)
  const started = new Set<number>()
  answer(deployment => {
    if (!failing(deployment)) return 'ready'
    const generation = Number(deployment.metadata.generation ?? 0)
    if (!started.has(generation)) void addFailingPod(deployment, generation)
    started.add(generation)
    return 'silent'
  })
}

describe('a delivery', () => {
  test('makes the namespace, applies the objects, waits, and is recorded', async () => {
    answer()
    const release = await deploy(manifest(), 'test', '1.0.0', options)
    expect(release).toMatchObject({
      revision: 1,
      version: '1.0.0',
      state: 'deployed',
      namespace: 'test',
      at: '2026-01-01T00:00:00Z',
    })
    expect((await server.local.get(namespaces, { name: 'test' })).metadata.labels).toMatchObject({
      'app.kubernetes.io/managed-by': 'sampan',
    })
    expect((await server.local.get(services, { namespace: 'test', name: 'web' })).spec.ports?.[0]?.port).toBe(80)
    expect(await image()).toBe('sampan.local/web:1.0.0')
    expect(await states()).toEqual(['1 1.0.0 deployed'])
    expect(said.filter(line => !line.startsWith('…'))).toEqual([
      'release 1: web 1.0.0 to test',
      'applied Deployment, Service',
      'every instance is ready',
    ])
  })

  test('supersedes the one before', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    await deploy(manifest(), 'test', '2.0.0', options)
    expect(await states()).toEqual(['2 2.0.0 deployed', '1 1.0.0 superseded'])
  })

  test('of the same version again is a release of its own', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    await deploy(manifest(), 'test', '1.0.0', options)
    expect(await states()).toEqual(['2 1.0.0 deployed', '1 1.0.0 superseded'])
  })

  test('removes what the new release has no longer', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    await deploy(manifest('name: web'), 'test', '2.0.0', options)
    await expect(server.local.get(services, { namespace: 'test', name: 'web' })).rejects.toSatisfy(isNotFound)
  })

  test('leaves alone what somebody else set', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    await server.local.patch(
      deployments,
      { namespace: 'test', name: 'web' },
      { type: 'merge', value: { metadata: { annotations: { note: 'mine' } } } },
      { fieldManager: 'somebody' },
    )
    await deploy(manifest(), 'test', '2.0.0', options)
    expect(
      (await server.local.get(deployments, { namespace: 'test', name: 'web' })).metadata.annotations,
    ).toMatchObject({ note: 'mine' })
  })

  test('works the same over the network', async () => {
    answer()
    expect(await deploy(manifest(), 'test', '1.0.0', { ...options, client: server.remote })).toMatchObject({
      state: 'deployed',
    })
    expect(await states()).toEqual(['1 1.0.0 deployed'])
  })

  test('is kept in a Secret that says what it is', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    const secret = await server.local.get(secrets, { namespace: 'test', name: 'sampan.release.web.v1' })
    expect(secret.type).toBe('sampan.dev/release')
    expect(secret.metadata.labels).toEqual({
      'sampan.dev/release': 'web',
      'sampan.dev/revision': '1',
      'sampan.dev/state': 'deployed',
    })
    const kept = JSON.parse(Buffer.from(secret.data!['release']!, 'base64').toString()) as Release
    expect(kept.objects.map(({ kind }) => kind)).toEqual(['Deployment', 'Service'])
  })

  test('keeps the last ten releases and the one that runs', async () => {
    answer()
    for (let index = 1; index <= 13; index++) await deploy(manifest(), 'test', `${index}`, options)
    const kept = await states()
    expect(kept[0]).toBe('13 13 deployed')
    expect(kept).toHaveLength(11)
  })
})

describe('a delivery that fails', () => {
  test('goes back to the release before, and shows the log of the pod that failed', async () => {
    answerExcept('2.0.0')
    await deploy(manifest(), 'test', '1.0.0', options)
    expect(await failureOf(deploy(manifest(), 'test', '2.0.0', options))).toBe(
      [
        'web 2.0.0 was not rolled out: container "web" keeps crashing: it ended with exit code 1',
        'last lines of web-2-a:',
        '  | web-2-a/web before',
        '  | last words',
        'release 1 (1.0.0) was put back',
      ].join('\n'),
    )
    expect(await image()).toBe('sampan.local/web:1.0.0')
    expect(await states()).toEqual(['2 2.0.0 failed', '1 1.0.0 deployed'])
  })

  test('takes away what only it had', async () => {
    answerExcept('2.0.0')
    await deploy(manifest('name: web'), 'test', '1.0.0', options)
    await failureOf(deploy(manifest(), 'test', '2.0.0', options))
    await expect(server.local.get(services, { namespace: 'test', name: 'web' })).rejects.toSatisfy(isNotFound)
  })

  test('as the first one leaves everything to look at', async () => {
    answerExcept('1.0.0')
    options = { ...options, readLog: async () => '' }
    const message = await failureOf(deploy(manifest(), 'test', '1.0.0', options))
    expect(message).toContain('pod web-1-a wrote no log; see: kubectl describe pod -n test web-1-a')
    expect(message).toContain('there is no earlier release to go back to')
    expect(await image()).toBe('sampan.local/web:1.0.0')
  })

  test('leaves no stuck pod in the way of the next attempt', async () => {
    answerExcept('1.0.0')
    await failureOf(deploy(manifest(), 'test', '1.0.0', options))
    expect((await server.local.list(pods, { namespace: 'test' })).items).toHaveLength(1)
    stopAnswering()
    answer()
    await deploy(manifest(), 'test', '1.0.1', options)
    expect((await server.local.list(pods, { namespace: 'test' })).items).toEqual([])
  })

  test('because a log cannot be read says the rest', async () => {
    answerExcept('1.0.0')
    options = { ...options, readLog: () => Promise.reject(new Error('no log')) }
    expect(await failureOf(deploy(manifest(), 'test', '1.0.0', options))).toContain('keeps crashing')
  })

  test('because time is up says so', async () => {
    answer(() => 'silent')
    const failure = failureOf(deploy(manifest(), 'test', '1.0.0', options))
    await eventually('the wait begins', () => said.some(line => line.startsWith('…')))
    await clock.advance(60_000)
    expect(await failure).toContain('the rollout was not finished after 60 seconds')
  })

  test('because the Deployment was deleted says so', async () => {
    answer(() => 'silent')
    const failure = failureOf(deploy(manifest(), 'test', '1.0.0', options))
    await eventually('the wait begins', () => said.some(line => line.startsWith('…')))
    await server.local.delete(deployments, { namespace: 'test', name: 'web' })
    expect(await failure).toContain('the Deployment web was deleted while it was being rolled out')
  })

  test('because the cluster refuses a part of it is taken back whole', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    const taken = 'name: other\nports: { http: { port: 80, nodePort: 30123 } }'
    await deploy(readManifest('app.yml', taken, 'test'), 'test', '1.0.0', options)
    const message = await failureOf(
      deploy(manifest('name: web\nports: { http: { port: 80, nodePort: 30123 } }'), 'test', '2.0.0', options),
    )
    expect(message).toContain('provided port is already allocated')
    expect(await image()).toBe('sampan.local/web:1.0.0')
    expect(await states()).toEqual(['2 2.0.0 failed', '1 1.0.0 deployed'])
  })

  test('of two at once one is told so', async () => {
    answer()
    const outcomes = await Promise.all([
      failureOf(deploy(manifest(), 'test', '1.0.0', options)),
      failureOf(deploy(manifest(), 'test', '1.0.1', options)),
    ])
    expect(outcomes.toSorted()).toEqual([
      'no failure',
      'somebody else began release 1 of "web" just now; look at it and try again',
    ])
  })
})

describe('a rollback', () => {
  test('goes to the release before, as a new release', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    await deploy(manifest('name: web\nreplicas: 5'), 'test', '2.0.0', options)
    const release = await rollback({ service: 'web', environment: 'test', namespace: 'test' }, options)
    expect(release).toMatchObject({ revision: 3, version: '1.0.0', rollbackTo: 1, state: 'deployed' })
    expect(await image()).toBe('sampan.local/web:1.0.0')
    expect((await server.local.get(services, { namespace: 'test', name: 'web' })).spec.ports?.[0]?.port).toBe(80)
    expect(await states()).toEqual(['3 1.0.0 deployed', '2 2.0.0 superseded', '1 1.0.0 superseded'])
  })

  test('goes to the one that is named', async () => {
    answer()
    for (const version of ['1', '2', '3']) await deploy(manifest(), 'test', version, options)
    expect(
      await rollback({ service: 'web', environment: 'test', namespace: 'test', revision: 1 }, options),
    ).toMatchObject({ version: '1', rollbackTo: 1 })
  })

  test('leaves out releases that failed', async () => {
    answerExcept('2')
    await deploy(manifest(), 'test', '1', options)
    await failureOf(deploy(manifest(), 'test', '2', options))
    await deploy(manifest(), 'test', '3', options)
    expect(await rollback({ service: 'web', environment: 'test', namespace: 'test' }, options)).toMatchObject({
      version: '1',
    })
  })

  test.each([
    ['without any release', 0, undefined, 'there is no release of "web" in the environment "test" (namespace test)'],
    ['with one release', 1, undefined, 'there is no earlier release of "web" to go back to'],
    ['to a release that never was', 2, 7, 'there is no release 7 of "web"; there is 2, 1'],
  ])('%s is one sentence', async (_what, releases, revision, message) => {
    answer()
    for (let index = 0; index < releases; index++) await deploy(manifest(), 'test', '1', options)
    await settle()
    expect(
      await failureOf(
        rollback(
          { service: 'web', environment: 'test', namespace: 'test', ...(revision !== undefined && { revision }) },
          options,
        ),
      ),
    ).toBe(message)
  })
})
