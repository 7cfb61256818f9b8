// Waiting for instances, with a real API server and time that the test moves; controllers are played by the test.
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Deployment, ReplicaSet } from '../../../api/generated/models.ts'
import { deployments, replicaSets } from '../../../api/resources.ts'
import { eventually } from '../../../testing/eventually.ts'
import { FakeClock, settle } from '../../../testing/fake-clock.ts'
import { freshNamespace } from '../../../testing/fresh-namespace.ts'
import { startTestServer, type TestServer } from '../../../testing/in-process-server.ts'
import { addUnplacedPod, sayNodeComes } from '../../../testing/unplaced-pod.ts'
import { retryRefusedPods, waitForRollout } from './rollout.ts'

let server: TestServer
let clock: FakeClock
let namespace: string
let told: string[]
let heldUp: string[]
const labels = { 'app.kubernetes.io/name': 'web' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'x' }] } }
beforeEach(async () => {
  server = await startTestServer()
  clock = new FakeClock()
  namespace = await freshNamespace(server)
  told = []
  heldUp = []
})
afterEach(() => server.close())

const deployment = (): Promise<Deployment> =>
  server.local.create<Deployment>(deployments, {
    metadata: { name: 'web', namespace },
    spec: { replicas: 2, selector: { matchLabels: labels }, template } as Deployment['spec'],
  })

function wait(owner: Deployment, signal = new AbortController().signal) {
  const promise = waitForRollout({
    client: server.local,
    clock,
    owner,
    watch: { progress: text => told.push(text), heldUp: text => heldUp.push(text), timeLimitSeconds: 300, signal },
  })
  promise.catch(() => {})
  return promise
}

const say = (status: object): Promise<Deployment> =>
  server.local.patch(
    deployments,
    { namespace, name: 'web' },
    { type: 'merge', value: { status } },
    { subresource: 'status' },
  )
const refuse = (message: string): Promise<Deployment> =>
  say({
    observedGeneration: 1,
    conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }],
  })

async function addUnplaced({ apiVersion, kind, metadata: { name, uid } }: Deployment): Promise<void> {
  const ownerReferences = [{ apiVersion, kind, name, uid, controller: true }]
  const set = await server.local.create<ReplicaSet>(replicaSets, {
    metadata: { name: 'web-1', namespace, labels, ownerReferences },
    spec: { selector: { matchLabels: labels }, template } as ReplicaSet['spec'],
  })
  await addUnplacedPod(server.local, set, { name: 'web-1-a', namespace, labels }, template.spec)
  await say({ observedGeneration: 1 })
}

test('that was deleted meanwhile says so', async () => {
  const waiting = wait(await deployment())
  await eventually('the wait begins', () => told.length > 0)
  await server.local.delete(deployments, { namespace, name: 'web' })
  expect(await waiting).toEqual({ state: 'failed', reason: 'web was deleted while it was being rolled out' })
})

test('whose pods are refused fails as soon as that is certain', async () => {
  const waiting = wait(await deployment())
  await refuse('pods "web-a" is forbidden: no root')
  await eventually('it is seen', () => told.some(line => line.includes('the cluster refuses new pods')))
  await clock.advance(3_000)
  expect(await waiting).toMatchObject({
    reason: 'the cluster refuses new pods: pods "web-a" is forbidden: no root',
  })
})

test('that finds no room is told once, and given up when nobody made any for a minute', async () => {
  const waiting = wait(await deployment())
  await refuse('exceeded quota: small')
  await eventually('it is seen', () => told.some(line => line.includes('the cluster refuses new pods')))
  await clock.advance(59_000)
  expect(heldUp).toEqual(['0 of 2 instances are ready; the cluster refuses new pods: exceeded quota: small'])
  await refuse('exceeded quota: still small')
  await eventually('the news is seen', () => told.at(-1)?.includes('still') === true)
  await clock.advance(1_000)
  expect(await waiting).toMatchObject({ reason: 'the cluster refuses new pods: exceeded quota: still small' })
})

test('whose pod finds no node is given up as well', async () => {
  const owner = await deployment()
  await addUnplaced(owner)
  const waiting = wait(owner)
  await eventually('it is seen', () => told.some(line => line.includes('finds no node')))
  await clock.advance(60_000)
  expect(await waiting).toMatchObject({ reason: 'pod web-1-a finds no node: 0/1 nodes: no cpu', pod: 'web-1-a' })
})

test('whose pod gets a node made for it goes on to the end of its time', async () => {
  const owner = await deployment()
  await addUnplaced(owner)
  await sayNodeComes(server.local, namespace, 'web-1-a')
  const waiting = wait(owner)
  await eventually('it is seen', () => told.some(line => line.includes('finds no node')))
  await clock.advance(299_000)
  await settle()
  await say({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 })
  expect(await waiting).toEqual({ state: 'done' })
})

test('that does not come in time says where it stands', async () => {
  const waiting = wait(await deployment())
  await eventually('the wait begins', () => told.length > 0)
  await clock.advance(300_000)
  expect(await waiting).toMatchObject({
    reason: 'the rollout was not finished after 300 seconds: 0 of 2 instances are ready',
  })
})

test('that nobody waits for any more ends with the reason', async () => {
  const stop = new AbortController()
  const waiting = wait(await deployment(), stop.signal)
  await eventually('the wait begins', () => told.length > 0)
  stop.abort(new Error('interrupted'))
  await expect(waiting).rejects.toThrow('interrupted')
})

test('pods that were refused before are tried again at once', async () => {
  const set = await server.local.create<ReplicaSet>(replicaSets, {
    metadata: { name: 'web-1', namespace, labels },
    spec: { selector: { matchLabels: labels }, template } as ReplicaSet['spec'],
  })
  const conditions = [{ type: 'ReplicaFailure', status: 'True' }]
  await server.local.update(replicaSets, { ...set, status: { replicas: 0, conditions } }, { subresource: 'status' })
  await retryRefusedPods(server.local, namespace, 'app.kubernetes.io/name=web', '2026-01-01T00:00:00Z')
  const { annotations } = (await server.local.get(replicaSets, set.metadata)).metadata
  expect(annotations).toMatchObject({ 'sampan.dev/tried-again': '2026-01-01T00:00:00Z' })
})
