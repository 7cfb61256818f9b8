import { describe, expect, test } from 'vitest'
import type { Deployment, ReplicaSet } from '../../api/generated/models.ts'
import { deadlineMs, isComplete, planStatus } from './status.ts'

const startMs = Date.parse('2026-01-01T00:00:00Z')
const meta = (name: string) => ({
  name,
  namespace: 'n',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '',
  generation: 1,
})

const deployment = (spec: Partial<Deployment['spec']> = {}, status: Deployment['status'] = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: meta('web'),
  spec: {
    replicas: 2,
    progressDeadlineSeconds: 60,
    selector: {},
    template: {},
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    ...spec,
  },
  status,
})
const set = (
  name: string,
  replicas: number,
  availableReplicas: number,
  more: Partial<ReplicaSet['status']> = {},
): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: meta(name),
  spec: { replicas, selector: {} },
  status: { replicas, readyReplicas: availableReplicas, availableReplicas, ...more },
})
const show = (status: Deployment['status']): string[] =>
  (status.conditions ?? []).map(({ type, status: value, reason, message }) => `${type}=${value} ${reason}: ${message}`)

/** One rollout, step by step; each step sees the status the last one wrote. */
function steps(
  ...given: {
    current: ReplicaSet | undefined
    old?: ReplicaSet[]
    created?: boolean
    afterSeconds: number
    spec?: Partial<Deployment['spec']>
  }[]
): string[][] {
  let status: Deployment['status'] = {}
  return given.map(({ current, old = [], created = false, afterSeconds, spec }) => {
    status = planStatus(
      { deployment: deployment(spec, status), current, old, created, scalingOnly: spec?.paused === true },
      startMs + afterSeconds * 1000,
    )
    return show(status)
  })
}

describe('the conditions of a rollout', () => {
  test('that succeeds', () => {
    expect(
      steps(
        { current: set('web-1', 2, 0, { replicas: 0 }), created: true, afterSeconds: 0 },
        { current: set('web-1', 2, 1), afterSeconds: 1 },
        { current: set('web-1', 2, 2), afterSeconds: 2 },
      ),
    ).toEqual([
      [
        'Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
        'Progressing=True NewReplicaSetCreated: Created new replica set "web-1"',
      ],
      [
        'Available=False MinimumReplicasUnavailable: Deployment does not have minimum availability.',
        'Progressing=True ReplicaSetUpdated: ReplicaSet "web-1" is progressing.',
      ],
      [
        'Available=True MinimumReplicasAvailable: Deployment has minimum availability.',
        'Progressing=True NewReplicaSetAvailable: ReplicaSet "web-1" has successfully progressed.',
      ],
    ])
  })

  test('that gets stuck counts from the last progress', () => {
    const stuck = set('web-1', 2, 1)
    const [, , beforeDeadline, after] = steps(
      { current: set('web-1', 2, 0), created: true, afterSeconds: 0 },
      { current: stuck, afterSeconds: 30 },
      { current: stuck, afterSeconds: 90 },
      { current: stuck, afterSeconds: 91 },
    )
    expect(beforeDeadline!.at(-1)).toContain('ReplicaSetUpdated')
    expect(after!.at(-1)).toBe(
      'Progressing=False ProgressDeadlineExceeded: ReplicaSet "web-1" has timed out progressing.',
    )
  })

  test('that is paused does not run into its deadline', () => {
    const [, paused, , resumed] = steps(
      { current: set('web-1', 2, 0), created: true, afterSeconds: 0 },
      { current: set('web-1', 2, 0), afterSeconds: 10, spec: { paused: true } },
      { current: set('web-1', 2, 0), afterSeconds: 500, spec: { paused: true } },
      { current: set('web-1', 2, 0), afterSeconds: 510 },
    )
    expect(paused!.at(-1)).toBe('Progressing=Unknown DeploymentPaused: Deployment is paused')
    expect(resumed!.at(-1)).toBe('Progressing=Unknown DeploymentResumed: Deployment is resumed')
  })

  test('without a deadline has nothing to say about progress', () => {
    expect(
      steps({ current: set('web-1', 2, 2), afterSeconds: 0, spec: { progressDeadlineSeconds: 2_147_483_647 } })[0]!.map(
        text => text.split('=')[0],
      ),
    ).toEqual(['Available'])
  })

  test('whose pods cannot be made says so', () => {
    const failing = set('web-1', 2, 0, {
      conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }],
    })
    expect(steps({ current: failing, afterSeconds: 0 })[0]).toContain('ReplicaFailure=True FailedCreate: quota')
  })
})

test('the counts leave zeros out and see both templates', () => {
  const status = planStatus(
    { deployment: deployment(), current: set('new', 1, 0), old: [set('old', 2, 2)], scalingOnly: false },
    startMs,
  )
  expect(status).toMatchObject({
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 1,
    readyReplicas: 2,
    availableReplicas: 2,
    unavailableReplicas: 1,
  })
  expect(isComplete(deployment(), status)).toBe(false)
})

test('the deadline counts from the last update of an unfinished rollout', () => {
  const at = (reason: string) =>
    deadlineMs(
      deployment(
        {},
        { conditions: [{ type: 'Progressing', status: 'True', reason, lastUpdateTime: '2026-01-01T00:00:00Z' }] },
      ),
    )
  expect([at('ReplicaSetUpdated'), at('NewReplicaSetAvailable')]).toEqual([startMs + 60_000, undefined])
})
