// Deliveries against a real API server in this process. Controllers and nodes are played by the test:
// `answer` sets what a Deployment controller would report.
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isNotFound } from '../api/api-error.ts'
import type { Deployment, Lease, Pod, ReplicaSet } from '../api/generated/models.ts'
import {
  deployments,
  leases,
  namespaces,
  pods,
  replicaSets,
  secrets,
  serviceAccounts,
  services,
} from '../api/resources.ts'
import { FakeClock, settle } from '../testing/fake-clock.ts'
import { eventually } from '../testing/eventually.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { formatMicroTime } from '../lib/clock.ts'
import { deploy, rollback, type DeployOptions } from './deploy.ts'
import { Interruption } from './deploy-error.ts'
import { readManifest } from './manifest/read-manifest.ts'
import { ReleaseHistory, type Release } from './release-history.ts'

const manifest = (text = 'name: web\nreplicas: 2\nports: { http: 80 }') => readManifest('app.yml', text, 'test')

/** A digest of its own for each image. */
const digestOf = (image: string): string => `sha256:${createHash('sha256').update(image).digest('hex')}`

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
    deployer: 'me@here (process 1)',
    isGone: () => false,
    signal: new AbortController().signal,
    findImage: image => Promise.resolve({ digest: digestOf(image) }),
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

const pinnedImage = async (): Promise<string> =>
  (await server.local.get(deployments, { namespace: 'test', name: 'web' })).spec.template.spec!.containers[0]!.image!
const image = async (): Promise<string> => (await pinnedImage()).split('@')[0]!
const isOf =
  (version: string) =>
  (deployment: Deployment): boolean =>
    deployment.spec.template.spec!.containers[0]!.image!.includes(`:${version}@`)
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
  const failing = isOf(version)
  const started = new Set<number>()
  answer(deployment => {
    if (!failing(deployment)) return 'ready'
    const generation = Number(deployment.metadata.generation ?? 0)
    if (!started.has(generation)) void addFailingPod(deployment, generation)
    started.add(generation)
    return 'silent'
  })
}

test('an environment that takes over the service of another one in its namespace is told so', async () => {
  answer()
  await deploy(manifest(), 'test', '1.0.0', options)
  await deploy(manifest(), 'test', '1.0.1', options)
  expect(said.join('\n')).not.toContain('takes over')
  await deploy(manifest(), 'production', '1.0.1', options)
  expect(said).toContain(
    'the namespace test has the web of test (release 2), which production takes over; for one each, give them namespaces of their own in app.yml',
  )
})

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

  test('does not wait for a log that does not come', async () => {
    answerExcept('2.0.0')
    await deploy(manifest(), 'test', '1.0.0', options)
    let asked = false
    const readLog = (): Promise<string> => {
      asked = true
      return new Promise(() => {})
    }
    const failure = failureOf(deploy(manifest(), 'test', '2.0.0', { ...options, readLog }))
    await eventually('the log is asked for', () => asked)
    await clock.advance(5_000)
    expect(await failure).toContain('release 1 (1.0.0) was put back')
  })

  test('as the first one leaves nothing behind that the next one has not', async () => {
    answerExcept('1.0.0')
    await failureOf(deploy(manifest(), 'test', '1.0.0', options))
    await deploy(manifest('name: web'), 'test', '2.0.0', options)
    await expect(server.local.get(services, { namespace: 'test', name: 'web' })).rejects.toSatisfy(isNotFound)
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

  test('because its pods are refused fails as soon as that is certain', async () => {
    answer(() => 'silent')
    const failure = failureOf(deploy(manifest(), 'test', '1.0.0', options))
    await eventually('the wait begins', () => said.some(line => line.startsWith('… 0 of')))
    const conditions = [
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'pods "web-a" is forbidden: no root' },
    ]
    const web = await server.local.get(deployments, { namespace: 'test', name: 'web' })
    await server.local.update(deployments, { ...web, status: { conditions } }, { subresource: 'status' })
    await eventually('it is seen', () => said.some(line => line.includes('the cluster refuses new pods')))
    await clock.advance(3_000)
    expect(await failure).toContain('the cluster refuses new pods: pods "web-a" is forbidden: no root')
  })

  test('is told what holds it up before its time is up, once', async () => {
    answer(() => 'silent')
    const failure = failureOf(deploy(manifest(), 'test', '1.0.0', options))
    await eventually('the wait begins', () => said.some(line => line.startsWith('… 0 of')))
    const conditions = [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: small' }]
    const web = await server.local.get(deployments, { namespace: 'test', name: 'web' })
    await server.local.update(deployments, { ...web, status: { conditions } }, { subresource: 'status' })
    await eventually('it is seen', () => said.some(line => line.includes('the cluster refuses new pods')))
    await clock.advance(30_000)
    expect(said.filter(line => line.startsWith('waiting: '))).toEqual([
      'waiting: 0 of 2 instances are ready; the cluster refuses new pods: exceeded quota: small',
    ])
    await clock.advance(30_000)
    expect(await failure).toContain('after 60 seconds: 0 of 2 instances are ready; the cluster refuses new pods')
  })

  test('of which pods were refused before is tried again at once', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    const labels = { 'app.kubernetes.io/name': 'web' }
    const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'x' }] } }
    const spec = { selector: { matchLabels: labels }, template }
    const set = await server.local.create<ReplicaSet>(replicaSets, {
      metadata: { name: 'web-1', namespace: 'test', labels },
      spec,
    })
    const conditions = [{ type: 'ReplicaFailure', status: 'True' }]
    await server.local.update(replicaSets, { ...set, status: { replicas: 0, conditions } }, { subresource: 'status' })
    await deploy(manifest(), 'test', '1.0.0', options)
    const { annotations } = (await server.local.get(replicaSets, set.metadata)).metadata
    expect(annotations).toMatchObject({ 'sampan.dev/tried-again': '2026-01-01T00:00:00Z' })
  })

  test('says that the release before was put back when its time is up, and why it stood still', async () => {
    answer(deployment => (isOf('2.0.0')(deployment) ? 'silent' : 'ready'))
    await deploy(manifest(), 'test', '1.0.0', options)
    const failure = failureOf(deploy(manifest(), 'test', '2.0.0', options))
    await eventually('the wait begins', () => said.some(line => line.startsWith('… 0 of')))
    await clock.advance(60_000)
    expect(await failure).toBe(
      [
        'web 2.0.0 was not rolled out: the rollout was not finished after 60 seconds: 0 of 2 instances are ready',
        'release 1 (1.0.0) was put back',
      ].join('\n'),
    )
  })
})

describe('two deliveries of one service', () => {
  const other = 'you@there (process 2)'
  const lease = { namespace: 'test', name: 'sampan.delivery.web' }
  const leaseOf = async (renewedMs: number): Promise<void> => {
    await server.local.create(namespaces, { metadata: { name: 'test' } })
    const renewTime = formatMicroTime(renewedMs)
    await server.local.create<Lease>(leases, { metadata: lease, spec: { holderIdentity: other, renewTime } })
  }

  test('at once: one is told who the other is', async () => {
    answer()
    const outcomes = await Promise.all([
      failureOf(deploy(manifest(), 'test', '1.0.0', options)),
      failureOf(deploy(manifest(), 'test', '1.0.1', { ...options, deployer: other })),
    ])
    expect(outcomes.filter(outcome => outcome === 'no failure')).toHaveLength(1)
    expect(outcomes.find(outcome => outcome !== 'no failure')).toMatch(
      /^(me@here|you@there) \(process \d\) delivers "web" to the namespace test right now; wait until that is done/,
    )
  })

  test('one after the other do not meet', async () => {
    answer()
    await deploy(manifest(), 'test', '1.0.0', options)
    await deploy(manifest(), 'test', '2.0.0', { ...options, deployer: other })
    await expect(server.local.get(leases, lease)).rejects.toSatisfy(isNotFound)
  })

  test('of which one is known to have ended do not wait', async () => {
    answer()
    await leaseOf(clock.now())
    await deploy(manifest(), 'test', '1.0.0', { ...options, isGone: name => name === other })
    expect(await states()).toEqual(['1 1.0.0 deployed'])
  })

  test('of which one stopped renewing are told apart from one that goes on', async () => {
    answer()
    await leaseOf(clock.now() - 60_000)
    const delivery = deploy(manifest(), 'test', '1.0.0', options)
    await eventually('it looks', () => said.some(line => line.includes('looking whether it still does')))
    for (let seconds = 0; seconds < 16; seconds++) {
      await clock.advance(1_000)
      await settle()
    }
    expect(await delivery).toMatchObject({ state: 'deployed' })
  })

  test('of which one renews though its clock is late are told', async () => {
    await leaseOf(clock.now() - 60_000)
    const failure = failureOf(deploy(manifest(), 'test', '1.0.0', options))
    await eventually('it looks', () => said.some(line => line.includes('looking whether it still does')))
    const value = { spec: { renewTime: formatMicroTime(clock.now() - 55_000) } }
    await server.local.patch(leases, lease, { type: 'merge', value })
    await clock.advance(1_000)
    expect(await failure).toContain('you@there (process 2) delivers "web"')
  })

  test('the one whose lease was taken stops and changes nothing more', async () => {
    answer(deployment => (isOf('2.0.0')(deployment) ? 'silent' : 'ready'))
    await deploy(manifest(), 'test', '1.0.0', options)
    const failure = failureOf(deploy(manifest(), 'test', '2.0.0', options))
    await eventually('the wait begins', () => said.some(line => line.startsWith('… 0 of')))
    await server.local.patch(leases, lease, { type: 'merge', value: { spec: { holderIdentity: other } } })
    await clock.advance(5_000)
    expect(await failure).toBe('you@there (process 2) took this delivery over')
    expect(await image()).toBe('sampan.local/web:2.0.0')
    expect((await states())[0]).toBe('2 2.0.0 pending')
    expect((await server.local.get(leases, lease)).spec.holderIdentity).toBe(other)
  })
})

describe('a delivery that is interrupted', () => {
  const extra = 'name: web\nreplicas: 2\nports: { http: 80 }'

  test('goes back to the release before, and is recorded as failed', async () => {
    answer(deployment => (isOf('2.0.0')(deployment) ? 'silent' : 'ready'))
    await deploy(manifest('name: web'), 'test', '1.0.0', options)
    const interrupt = new AbortController()
    const failure = failureOf(deploy(manifest(extra), 'test', '2.0.0', { ...options, signal: interrupt.signal }))
    await eventually('the wait begins', () => said.some(line => line.startsWith('… 0 of')))
    interrupt.abort(new Interruption('Ctrl-C'))
    expect(await failure).toBe('web 2.0.0 was not rolled out: interrupted by Ctrl-C\nrelease 1 (1.0.0) was put back')
    expect(await image()).toBe('sampan.local/web:1.0.0')
    expect(await states()).toEqual(['2 2.0.0 failed', '1 1.0.0 deployed'])
    await expect(server.local.get(services, { namespace: 'test', name: 'web' })).rejects.toSatisfy(isNotFound)
  })

  test('just when the wait begins goes back as well', async () => {
    answer(deployment => (isOf('2.0.0')(deployment) ? 'silent' : 'ready'))
    await deploy(manifest('name: web'), 'test', '1.0.0', options)
    const interrupt = new AbortController()
    const step = (text: string): void => {
      if (text.startsWith('applied')) queueMicrotask(() => interrupt.abort(new Interruption('Ctrl-C')))
    }
    const remotely = {
      ...options,
      client: server.remote,
      report: { ...options.report, step },
      signal: interrupt.signal,
    }
    expect(await failureOf(deploy(manifest(), 'test', '2.0.0', remotely))).toBe(
      'web 2.0.0 was not rolled out: interrupted by Ctrl-C\nrelease 1 (1.0.0) was put back',
    )
  })

  test('before it began has changed nothing', async () => {
    const signal = AbortSignal.abort(new Interruption('SIGTERM'))
    expect(await failureOf(deploy(manifest(), 'test', '1.0.0', { ...options, signal }))).toBe(
      'interrupted by SIGTERM before anything was changed',
    )
    expect(await states()).toEqual([])
  })

  /** As a command leaves it that is killed at once. */
  async function killed(text: string, version: string): Promise<void> {
    stopAnswering()
    answer(deployment => (isOf(version)(deployment) ? 'silent' : 'ready'))
    said = []
    const lost = new AbortController()
    const failure = failureOf(deploy(manifest(text), 'test', version, { ...options, signal: lost.signal }))
    await eventually('the wait begins', () => said.some(line => line.startsWith('… 0 of')))
    const value = { spec: { holderIdentity: 'nobody@nowhere (process 3)' } }
    await server.local.patch(leases, { namespace: 'test', name: 'sampan.delivery.web' }, { type: 'merge', value })
    await clock.advance(5_000)
    await failure
    expect((await states())[0]).toContain('pending')
    options = { ...options, isGone: name => name.startsWith('nobody') }
    stopAnswering()
    answer()
  }

  test('by force: a rollback goes to the release before it, not one further', async () => {
    answer()
    await deploy(manifest('name: web'), 'test', '1.0.0', options)
    await deploy(manifest('name: web'), 'test', '2.0.0', options)
    await killed(extra, '3.0.0')
    said = []
    const release = await rollback({ service: 'web', environment: 'test', namespace: 'test' }, options)
    expect(release).toMatchObject({ revision: 4, version: '2.0.0', rollbackTo: 2 })
    expect(said).toContain('release 3 (3.0.0) was interrupted half-way')
    expect(await image()).toBe('sampan.local/web:2.0.0')
    expect(await states()).toEqual([
      '4 2.0.0 deployed',
      '3 3.0.0 interrupted',
      '2 2.0.0 superseded',
      '1 1.0.0 superseded',
    ])
    await expect(server.local.get(services, { namespace: 'test', name: 'web' })).rejects.toSatisfy(isNotFound)
  })

  test('by force: the next delivery takes away what it left', async () => {
    answer()
    await deploy(manifest('name: web'), 'test', '1.0.0', options)
    await killed(extra, '2.0.0')
    await deploy(manifest('name: web'), 'test', '3.0.0', options)
    expect(await states()).toEqual(['3 3.0.0 deployed', '2 2.0.0 interrupted', '1 1.0.0 superseded'])
    await expect(server.local.get(services, { namespace: 'test', name: 'web' })).rejects.toSatisfy(isNotFound)
  })

  test('by force, as the very first one: there is nothing to go back to', async () => {
    await killed(extra, '1.0.0')
    expect(await failureOf(rollback({ service: 'web', environment: 'test', namespace: 'test' }, options))).toBe(
      'there is no earlier release of "web" to go back to',
    )
  })
})

describe('an image', () => {
  test('is pinned to what its tag stands for, so that a rebuilt one comes and a rollback brings the old one', async () => {
    answer()
    const found = (digest: string) => ({ ...options, findImage: () => Promise.resolve({ digest }) })
    await deploy(manifest(), 'test', '1.0.0', found('sha256:old'))
    await deploy(manifest(), 'test', '1.0.0', found('sha256:new'))
    expect(await pinnedImage()).toBe('sampan.local/web:1.0.0@sha256:new')
    await rollback({ service: 'web', environment: 'test', namespace: 'test' }, options)
    expect(await pinnedImage()).toBe('sampan.local/web:1.0.0@sha256:old')
  })

  test('whose digest cannot be told is pulled anew for each delivery, and that is said', async () => {
    answer()
    const blind = { ...options, findImage: () => Promise.resolve({ reason: 'the registry is far away' }) }
    const template = async () => (await server.local.get(deployments, { namespace: 'test', name: 'web' })).spec.template
    await deploy(manifest(), 'test', '1.0.0', blind)
    const first = await template()
    await deploy(manifest(), 'test', '1.0.0', blind)
    const second = await template()
    expect(second.spec!.containers[0]).toMatchObject({ image: 'sampan.local/web:1.0.0', imagePullPolicy: 'Always' })
    expect(second.metadata!.annotations).not.toEqual(first.metadata!.annotations)
    expect(said).toContain(
      'the registry is far away; whoever pushes sampan.local/web:1.0.0 again changes what this release runs',
    )
  })

  test('that is not there ends the delivery before anything is changed', async () => {
    const findImage = () => Promise.reject(new Error('there is no image'))
    expect(await failureOf(deploy(manifest(), 'test', '1.0.0', { ...options, findImage }))).toBe('there is no image')
    await expect(server.local.get(namespaces, { name: 'test' })).rejects.toSatisfy(isNotFound)
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
