// One stored object in several versions and groups: what is written through one is read through the other.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const v1 = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers'
const v2 = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers'
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }

test('an autoscaler of v1 is a v2 one with a CPU metric', async () => {
  const made = await server.call('POST', v1, {
    body: { metadata: { name: 'cpu' }, spec: { scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 60 } },
  })
  expect(made.json).toMatchObject({
    apiVersion: 'autoscaling/v1',
    spec: { minReplicas: 1, targetCPUUtilizationPercentage: 60 },
  })
  const { json } = await server.call('GET', `${v2}/cpu`)
  expect(json).toMatchObject({
    apiVersion: 'autoscaling/v2',
    spec: {
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
      ],
    },
  })
  expect(json.metadata.resourceVersion).toBe(made.json.metadata.resourceVersion)
})

test('what v1 cannot say stays in annotations when v1 is updated', async () => {
  const memory = {
    type: 'Resource',
    resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
  }
  await server.call('POST', v2, {
    body: {
      metadata: { name: 'memory' },
      spec: {
        scaleTargetRef,
        maxReplicas: 3,
        metrics: [memory],
        behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      },
    },
  })
  const patched = await server.call('PATCH', `${v1}/memory`, {
    body: { spec: { maxReplicas: 7 } },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })
  expect(patched.status, patched.text).toBe(200)
  expect((await server.call('GET', `${v2}/memory`)).json.spec).toMatchObject({
    maxReplicas: 7,
    metrics: [memory],
    behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
  })
})

test('lists, watches and protobuf of a view show its own form', async () => {
  const { json } = await server.call('GET', v1)
  expect(json.items[0]).not.toHaveProperty('apiVersion')
  expect(json.items[0].spec.targetCPUUtilizationPercentage).toBe(60)
  const watched = await server.call('GET', `${v1}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dcpu`)
  expect(JSON.parse(watched.text.split('\n')[0]!)).toMatchObject({
    type: 'ADDED',
    object: { apiVersion: 'autoscaling/v1' },
  })
  expect((await server.call('GET', v2, { headers: { Accept: 'application/vnd.kubernetes.protobuf' } })).status).toBe(
    200,
  )
  await server.call('DELETE', `${v1}/cpu`)
  expect((await server.call('GET', `${v2}/cpu`)).status).toBe(404)
})

test('events are the same in both groups', async () => {
  const event = {
    metadata: { name: 'e' },
    eventTime: '2026-01-02T03:04:05.000006Z',
    reportingController: 'c',
    reportingInstance: 'i',
    action: 'a',
    reason: 'r',
    type: 'Normal',
    note: 'hello',
    regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
  }
  const made = await server.call('POST', '/apis/events.k8s.io/v1/namespaces/default/events', { body: event })
  expect(made.status, made.text).toBe(201)
  expect((await server.call('GET', '/api/v1/namespaces/default/events/e')).json).toMatchObject({
    apiVersion: 'v1',
    kind: 'Event',
    message: 'hello',
    involvedObject: { name: 'p' },
    reportingComponent: 'c',
    firstTimestamp: null,
  })
  expect(
    (await server.call('GET', '/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3Dp')).json
      .items,
  ).toHaveLength(1)
})

test('roles without rules print null and travel as protobuf', async () => {
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
  expect((await server.call('POST', path, { body: { metadata: { name: 'empty' } } })).json.rules).toBeNull()
  expect(
    (await server.call('GET', `${path}/empty`, { headers: { Accept: 'application/vnd.kubernetes.protobuf' } })).status,
  ).toBe(200)
})
