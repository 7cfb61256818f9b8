// Field validation of patches: what is wrong with the patch is told before what is wrong with the object that it
// makes, and a strict refusal is about the patch.
// Source: kubernetes test/integration/apiserver/field_validation_test.go.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd' },
  spec: {
    selector: { matchLabels: { app: 'nginx' } },
    template: { metadata: { labels: { app: 'nginx' } }, spec: { containers: [{ name: 'nginx', image: 'nginx' }] } },
  },
}
const container =
  '{"name": "nginx", "image": "nginx", "unknownNested": "a", "imagePullPolicy": "Always", "imagePullPolicy": "Never"}'
const merge = `{"spec": {"unknown1": "a", "unknownDupe": "a", "unknownDupe": "b", "paused": true, "paused": false, "template": {"spec": {"containers": [${container}]}}}}`
const ofMerge = [
  'duplicate field "spec.unknownDupe"',
  'duplicate field "spec.paused"',
  'duplicate field "spec.template.spec.containers[0].imagePullPolicy"',
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknownDupe"',
]
const operations = `[
  {"op": "add", "path": "/spec/unknown1", "value": "a", "foo": "bar"},
  {"op": "add", "path": "/spec/unknown2", "path": "/spec/unknown3", "value": "a"},
  {"op": "add", "path": "/spec/template/spec/containers/0/unknownNested", "value": "a"}
]`
const ofOperations = [
  'json patch unknown field "[0].foo"',
  'json patch duplicate field "[1].path"',
  'unknown field "spec.template.spec.containers[0].unknownNested"',
  'unknown field "spec.unknown1"',
  'unknown field "spec.unknown3"',
]

describe('field validation of patches', () => {
  let server: TestServer
  const path = '/apis/apps/v1/namespaces/default/deployments'
  const patch = (type: string, body: string, validation: string): Promise<Answer> =>
    server.call('PATCH', `${path}/d?fieldValidation=${validation}`, {
      headers: { 'content-type': `application/${type}+json` },
      body,
    })
  beforeAll(async () => {
    server = await startTestServer()
    await server.call('POST', path, { body: deployment })
  })
  afterAll(() => server.close())

  test.each([
    ['merge-patch', merge, ofMerge],
    ['strategic-merge-patch', merge, ofMerge],
    ['json-patch', operations, ofOperations],
  ] as const)('%s', async (type, body, problems) => {
    const refused = await patch(type, body, 'Strict')
    expect([refused.status, refused.json.reason]).toEqual([422, 'Invalid'])
    expect(refused.json.message).toMatch(/^ "" is invalid: patch: Invalid value: "/)
    expect(refused.json.message.split(': strict decoding error: ')[1]).toBe(problems.join(', '))
    const warned = await patch(type, body, 'Warn')
    expect(warned.status).toBe(200)
    expect([warned.headers.warning].flat().join()).toBe(
      problems.map(problem => `299 - ${JSON.stringify(problem)}`).join(', '),
    )
    expect((await patch(type, body, 'Ignore')).headers.warning).toBeUndefined()
  })

  const apply = (body: string, validation: string): Promise<Answer> =>
    server.call('PATCH', `${path}/applied?fieldManager=m&fieldValidation=${validation}`, {
      headers: { 'content-type': 'application/apply-patch+yaml' },
      body,
    })
  const applied = (spec: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: applied }
spec:
  selector: { matchLabels: { app: nginx } }
  template: { metadata: { labels: { app: nginx } }, spec: { containers: [{ name: nginx, image: nginx }] } }
${spec}`

  test.each(['Strict', 'Warn', 'Ignore'])('an unknown field does not fit what is applied, %s', async validation => {
    const refused = await apply(applied('  nope: 1\n'), validation)
    expect([refused.status, refused.json.message, refused.headers.warning]).toEqual([
      500,
      'failed to create typed patch object (/applied; apps/v1, Kind=Deployment): .spec.nope: field not declared in schema',
      undefined,
    ])
  })

  test('wrong types are told before what has none', async () => {
    expect((await apply(applied('  replicas: many\n'), 'Strict')).json.message).toBe(
      'failed to create typed patch object (/applied; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got &value.valueUnstructured{Value:"many"}',
    )
  })

  test('keys of YAML that occur twice', async () => {
    const twice = applied('  paused: true\n  paused: false\n  replicas: 0\n  replicas: 1\n')
    const lines = ['line 8: key "paused" already set in map', 'line 10: key "replicas" already set in map']
    expect(await apply(twice, 'Strict')).toMatchObject({
      status: 400,
      json: {
        message: `error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${lines.join('\n  ')}`,
      },
    })
    const warned = await apply(twice, 'Warn')
    expect(warned.status).toBe(201)
    expect([warned.headers.warning].flat().join()).toBe(lines.map(line => `299 - ${JSON.stringify(line)}`).join(', '))
    const posted = await server.call('POST', `${path}?fieldValidation=Strict`, {
      headers: { 'content-type': 'application/yaml' },
      body: twice,
    })
    expect(posted.json.message).toBe(
      `Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: yaml: unmarshal errors:\n  ${lines.join('\n  ')}`,
    )
  })
})
