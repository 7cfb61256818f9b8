// What a write of the status may change of the metadata: with most kinds all that clients write; with some
// it stays as it is, as with kube-apiserver.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.call('POST', `${core}/serviceaccounts`, { body: { metadata: { name: 'default' } } })
})
afterAll(() => server.close())

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
const workload = { selector: { matchLabels: { a: 'b' } }, template }
const mergePatch = { 'content-type': 'application/merge-patch+json' }
const core = '/api/v1/namespaces/default'
const apps = '/apis/apps/v1/namespaces/default'
const flow = '/apis/flowcontrol.apiserver.k8s.io/v1'

interface Metadata {
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
  readonly ownerReferences?: readonly unknown[]
}
const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u' }

async function afterStatusWrite(path: string, body: object): Promise<Metadata> {
  const created = await server.call('POST', path, { body: { metadata: { name: 'kept' }, ...body } })
  expect(created.status).toBe(201)
  const metadata = { labels: { new: 'label' }, annotations: { new: 'annotation' }, ownerReferences: [owner] }
  const answer = await server.call('PATCH', `${path}/kept/status`, { headers: mergePatch, body: { metadata } })
  expect(answer.status).toBe(200)
  return (answer.json as { metadata: Metadata }).metadata
}

describe('all of it may change', () => {
  test.each([
    ['daemonsets', apps, { spec: workload }],
    ['replicasets', apps, { spec: workload }],
    ['statefulsets', apps, { spec: { ...workload, serviceName: 's' } }],
    ['replicationcontrollers', core, { spec: { selector: { a: 'b' }, template } }],
    ['services', core, { spec: { ports: [{ port: 80 }] } }],
    ['resourcequotas', core, { spec: {} }],
    [
      'jobs',
      '/apis/batch/v1/namespaces/default',
      { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    ],
    ['poddisruptionbudgets', '/apis/policy/v1/namespaces/default', { spec: { selector: {} } }],
  ])('%s', async (plural, path, body) => {
    expect(await afterStatusWrite(`${path}/${plural}`, body)).toMatchObject({
      labels: { new: 'label' },
      annotations: { new: 'annotation' },
      ownerReferences: [owner],
    })
  })
})

test('labels of deployments stay', async () => {
  const metadata = await afterStatusWrite(`${apps}/deployments`, { spec: workload })
  expect(metadata.labels).toBeUndefined()
  expect(metadata).toMatchObject({ annotations: { new: 'annotation' }, ownerReferences: [owner] })
})

test('owners of pods stay', async () => {
  const metadata = await afterStatusWrite(`${core}/pods`, { spec: template.spec })
  expect(metadata.ownerReferences).toBeUndefined()
  expect(metadata).toMatchObject({ labels: { new: 'label' }, annotations: { new: 'annotation' } })
})

describe('all of it stays', () => {
  test.each([
    [
      `${flow}/flowschemas`,
      { spec: { priorityLevelConfiguration: { name: 'exempt' }, matchingPrecedence: 5, rules: [] } },
    ],
    [
      `${flow}/prioritylevelconfigurations`,
      { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } },
    ],
    [
      '/apis/storage.k8s.io/v1/volumeattachments',
      { spec: { attacher: 'a.example', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    ],
    [
      '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',
      {
        spec: {
          matchConstraints: {
            resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          },
          validations: [{ expression: 'true' }],
        },
      },
    ],
  ])('%s', async (path, body) => {
    const { labels, annotations, ownerReferences } = await afterStatusWrite(path, body)
    expect([labels, annotations, ownerReferences]).toEqual([undefined, undefined, undefined])
  })
})

test('whoever writes a status owns none of what stays', async () => {
  await server.call('POST', `${apps}/deployments`, { body: { metadata: { name: 'owned' }, spec: workload } })
  const applied = await server.call('PATCH', `${apps}/deployments/owned/status?fieldManager=one`, {
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'owned', labels: { mine: 'x' } },
      status: { replicas: 1 },
    },
  })
  expect(applied.status).toBe(200)
  const { managedFields } = (applied.json as { metadata: { managedFields: { manager: string; fieldsV1: object }[] } })
    .metadata
  expect(managedFields.find(({ manager }) => manager === 'one')!.fieldsV1).toEqual({ 'f:status': { 'f:replicas': {} } })
})
