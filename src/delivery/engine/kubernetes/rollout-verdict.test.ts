import { describe, expect, test } from 'vitest'
import type { ContainerStatus, Deployment, DeploymentStatus, Pod, ReplicaSet } from '../../../api/generated/models.ts'
import { judge, type RolloutVerdict as Verdict } from './rollout-verdict.ts'

const meta = (name: string, owner?: string) => ({
  name,
  namespace: 'n',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '',
  generation: 2,
  ...(owner !== undefined && { ownerReferences: [{ apiVersion: 'v1', kind: 'Owner', name: owner, uid: owner }] }),
})

const deployment = (status: DeploymentStatus, replicas = 2): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta('web'),
  spec: { replicas, selector: {}, template: {} },
  status: { observedGeneration: 2, ...status },
})

const set = (name: string, revision: number): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { ...meta(name, 'web'), annotations: { 'deployment.kubernetes.io/revision': String(revision) } },
  spec: { selector: {} },
  status: { replicas: 1 },
})

const pod = (owner: string, status: Partial<ContainerStatus>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta('pod', owner),
  spec: { containers: [] },
  status: { containerStatuses: [{ name: 'web', image: '', imageID: '', ready: false, restartCount: 0, ...status }] },
})

const crashed = (exitCode: number, reason = 'Error') => ({ terminated: { exitCode, reason } })

describe('a rollout', () => {
  test.each<[string, DeploymentStatus, Verdict]>([
    [
      'is done when every instance is new and available',
      { replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
      { state: 'done' },
    ],
    [
      'waits while old instances are still there',
      { replicas: 3, updatedReplicas: 2, availableReplicas: 3 },
      { state: 'waiting', ready: 2, wanted: 2 },
    ],
    [
      'waits for availability',
      { replicas: 2, updatedReplicas: 2, availableReplicas: 1 },
      { state: 'waiting', ready: 1, wanted: 2 },
    ],
    [
      'counts no old instance as ready, while a new one comes up beside them',
      { replicas: 3, updatedReplicas: 1, availableReplicas: 2 },
      { state: 'waiting', ready: 0, wanted: 2 },
    ],
    [
      'counts no old instance as ready',
      { replicas: 2, updatedReplicas: 0, availableReplicas: 2 },
      { state: 'waiting', ready: 0, wanted: 2 },
    ],
    [
      'does not believe a status of an older generation',
      { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 },
      { state: 'waiting', ready: 0, wanted: 2 },
    ],
    [
      'fails when it made no progress in time',
      {
        replicas: 2,
        conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'too slow' }],
      },
      { state: 'failed', reason: 'too slow' },
    ],
  ])('%s', (_what, status, verdict) => {
    expect(judge({ owner: deployment(status), replicaSets: [], pods: [] })).toEqual(verdict)
  })

  test('to no instances is done at once', () => {
    expect(judge({ owner: deployment({}, 0), replicaSets: [], pods: [] })).toEqual({ state: 'done' })
  })
})

describe('a new pod', () => {
  test.each<[string, Partial<ContainerStatus>, Verdict['state'], string | undefined]>([
    [
      'whose image cannot be pulled',
      { state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } },
      'failed',
      'container "web" cannot start: ImagePullBackOff: not found',
    ],
    [
      'whose Secret is missing',
      { state: { waiting: { reason: 'CreateContainerConfigError' } } },
      'failed',
      'container "web" cannot start: CreateContainerConfigError',
    ],
    ['that is just being made', { state: { waiting: { reason: 'ContainerCreating' } } }, 'waiting', undefined],
    [
      'that crashed once',
      { restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: crashed(1) },
      'waiting',
      undefined,
    ],
    [
      'that keeps crashing',
      { restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: crashed(3) },
      'failed',
      'container "web" keeps crashing: it ended with exit code 3',
    ],
    [
      'that crashed often and is seen while it is ended',
      { restartCount: 2, state: crashed(3) },
      'failed',
      'container "web" keeps crashing: it ended with exit code 3',
    ],
    [
      'that runs now after crashes',
      { restartCount: 2, state: { running: {} }, lastState: crashed(3) },
      'waiting',
      undefined,
    ],
    [
      'that needs more memory than it may have',
      { restartCount: 2, state: { waiting: {} }, lastState: crashed(137, 'OOMKilled') },
      'failed',
      'container "web" keeps crashing: it used more memory than its limit',
    ],
  ])('%s', (_what, status, state, reason) => {
    const verdict = judge({
      owner: deployment({}),
      replicaSets: [set('old', 1), set('new', 2)],
      pods: [pod('new', status)],
    })
    expect(verdict).toMatchObject(reason === undefined ? { state } : { state, reason, pod: 'pod', container: 'web' })
  })

  test('of the release before says nothing about this one', () => {
    const failing = { state: { waiting: { reason: 'ImagePullBackOff' } } }
    expect(
      judge({ owner: deployment({}), replicaSets: [set('old', 1), set('new', 2)], pods: [pod('old', failing)] }).state,
    ).toBe('waiting')
  })

  test('of another Deployment says nothing either', () => {
    const foreign = { ...set('new', 2), metadata: { ...set('new', 2).metadata, ownerReferences: [] } }
    expect(
      judge({
        owner: deployment({}),
        replicaSets: [foreign],
        pods: [pod('new', { state: { waiting: { reason: 'ErrImagePull' } } })],
      }).state,
    ).toBe('waiting')
  })

  test('tells of the run whose log says why', () => {
    const seen = (status: Partial<ContainerStatus>): Verdict =>
      judge({
        owner: deployment({}),
        replicaSets: [set('new', 1)],
        pods: [pod('new', { restartCount: 2, ...status })],
      })
    expect(seen({ state: crashed(1) })).toMatchObject({ previous: false })
    expect(seen({ state: { waiting: {} }, lastState: crashed(1) })).toMatchObject({ previous: true })
  })
})

test('what ran before the service and ended well is no failure, however often it was started', () => {
  const status = {
    name: 'proxy-init',
    image: '',
    imageID: '',
    ready: true,
    restartCount: 3,
    state: crashed(0, 'Completed'),
  }
  const starting = pod('new', { state: { waiting: { reason: 'ContainerCreating' } } })
  const pods = [{ ...starting, status: { ...starting.status, initContainerStatuses: [status] } }]
  const owner = deployment({ replicas: 2, updatedReplicas: 1, availableReplicas: 1 })
  expect(judge({ owner, replicaSets: [set('new', 1)], pods })).toMatchObject({ state: 'waiting' })
})
