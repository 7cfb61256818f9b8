import { describe, expect, test } from 'vitest'
import type { CoreEvent, Deployment, Pod, PodStatus, ReplicaSet } from '../../../api/generated/models.ts'
import { standstill, type Standstill } from './standstill.ts'

const metadata = { name: 'web-1', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
const deployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata,
  spec: { selector: {}, template: {} },
  status: {},
}
const pod = (status: PodStatus): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [] }, status })
const refusing = (message: string): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata,
  spec: { selector: {} },
  status: { replicas: 0, conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] },
})
const warning = (reason: string, message: string, lastTimestamp: string, uid = 'u'): CoreEvent => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata,
  involvedObject: { uid },
  reason,
  message,
  lastTimestamp,
})
const told = (pods: Pod[], warnings: CoreEvent[] = [], newest?: ReplicaSet): Standstill | undefined =>
  standstill({ owner: deployment, pods, warnings, ...(newest !== undefined && { newest }) })
const container = (more: object) => ({ name: 'web', image: '', imageID: '', ready: false, restartCount: 0, ...more })

describe('a rollout is held up', () => {
  test.each([
    ['pods "web-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', 3_000],
    ['admission webhook "policy.example" denied the request: no', 3_000],
    ['Pod "web-1" is invalid: spec.containers[0].resources: Invalid value', 3_000],
    ['pods "web-1" is forbidden: exceeded quota: small, requested: cpu=1, used: cpu=1, limited: cpu=1', 60_000],
    ['pods "web-1" is forbidden: error looking up service account n/default: not found', undefined],
    ['Internal error occurred: failed calling webhook "policy.example": connection refused', undefined],
  ])('by a refusal: %s (certain after %s ms)', (message, certainAfterMs) => {
    expect(told([], [], refusing(message))).toEqual({
      kind: 'refused',
      reason: `the cluster refuses new pods: ${message}`,
      certainAfterMs,
    })
  })

  test.each([
    ['0/1 nodes are available: 1 Insufficient cpu.'],
    ['0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.'],
  ])('because a pod finds no node: %s', message => {
    const unplaced = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }
    expect(told([pod({ conditions: [unplaced] })])).toEqual({
      kind: 'no node',
      reason: `pod web-1 finds no node: ${message}`,
      pod: 'web-1',
      certainAfterMs: 60_000,
    })
  })

  test('because a pod finds no node, and room is being made for it', () => {
    const unplaced = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no cpu' }
    const found = told([pod({ conditions: [unplaced], nominatedNodeName: 'node-1' })])
    expect(found).toEqual({ kind: 'no node', reason: 'pod web-1 finds no node: no cpu', pod: 'web-1' })
  })

  test.each([
    ['Readiness probe failed: HTTP probe failed with statuscode: 500'],
    ['Readiness probe failed: dial tcp 10.0.0.1:80: connect: connection refused'],
  ])('by a probe: %s', message => {
    const running = pod({ containerStatuses: [container({ state: { running: {} } })] })
    const older = warning('Unhealthy', 'older', '2026-01-01T00:00:01Z')
    const another = warning('Unhealthy', 'of another pod', '2026-01-01T00:00:09Z', 'other')
    expect(told([running], [older, warning('Unhealthy', message, '2026-01-01T00:00:02Z'), another])).toEqual({
      kind: 'not ready',
      reason: `pod web-1 runs and is not ready: ${message}`,
      pod: 'web-1',
      container: 'web',
    })
  })

  test('because a pod ended and waits to be started again', () => {
    const state = { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 0 } } }
    expect(told([pod({ containerStatuses: [container(state)] })])).toMatchObject({
      reason: 'container "web" of pod web-1 ended with exit code 0 and is started again',
      previous: true,
    })
  })

  test('because a volume is missing', () => {
    const waiting = pod({ containerStatuses: [container({ state: { waiting: { reason: 'ContainerCreating' } } })] })
    const message = 'MountVolume.SetUp failed for volume "settings": configmap "settings" not found'
    expect(told([waiting], [warning('FailedMount', message, '2026-01-01T00:00:01Z')])?.reason).toBe(
      `pod web-1 does not start: ${message}`,
    )
  })

  test('by nothing that is known while pods are ready or just being made', () => {
    expect(told([pod({ conditions: [{ type: 'Ready', status: 'True' }] }), pod({})])).toBeUndefined()
  })
})
