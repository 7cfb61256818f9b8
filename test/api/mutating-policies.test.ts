// MutatingAdmissionPolicy: what is changed, in which order, and what is refused.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

const policies = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies'
const bindings = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings'
const ruleFor = (plural: string, group = ''): object => ({
  apiGroups: [group],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: [plural],
})
const apply = (expression: string): object => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } })
const jsonPatch = (expression: string): object => ({ patchType: 'JSONPatch', jsonPatch: { expression } })

let server: TestServer
let namespace = ''
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())
beforeEach(async () => {
  for (const path of [bindings, policies]) await server.call('DELETE', path)
  namespace = await freshNamespace(server)
})

const post = (path: string, body: object): Promise<Answer> => server.call('POST', path, { body })
const configMap = (data: Record<string, string> = {}): Promise<Answer> =>
  post(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { generateName: 'c-' }, data })
const created = (answer: Answer): void => expect(answer.status, answer.text).toBe(201)

async function policy(name: string, mutations: object[], spec: object = {}, binding: object = {}): Promise<void> {
  created(
    await post(policies, {
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules: [ruleFor('configmaps')] },
        reinvocationPolicy: 'Never',
        mutations,
        ...spec,
      },
    }),
  )
  created(await post(bindings, { metadata: { name: `${name}-b` }, spec: { policyName: name, ...binding } }))
}

describe('a bound policy', () => {
  test('merges an apply configuration', async () => {
    await policy('p', [
      apply(
        'Object{metadata: Object.metadata{labels: {"made": "here", "size": string(object.data.size())}}, data: {"b": "2"}}',
      ),
    ])
    const { json } = await configMap({ a: '1' })
    expect({ labels: json.metadata.labels, data: json.data }).toEqual({
      labels: { made: 'here', size: '1' },
      data: { a: '1', b: '2' },
    })
  })

  test('merges lists by their keys, and defaults what comes new', async () => {
    await policy(
      'p',
      [
        apply(
          'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "c", imagePullPolicy: "Never"}, Object.spec.template.spec.containers{name: "sidecar", image: "s:1"}]}}}}',
        ),
      ],
      { matchConstraints: { resourceRules: [ruleFor('deployments', 'apps')] } },
    )
    const { json } = await post(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name: 'd' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } },
      },
    })
    expect(json.spec.template.spec.containers).toMatchObject([
      { name: 'c', image: 'x:1', imagePullPolicy: 'Never' },
      {
        name: 'sidecar',
        image: 's:1',
        imagePullPolicy: 'IfNotPresent',
        terminationMessagePath: '/dev/termination-log',
      },
    ])
  })

  test('applies a JSON patch', async () => {
    await policy('p', [
      jsonPatch(
        '[JSONPatch{op: "test", path: "/data/a", value: "1"}, JSONPatch{op: "add", path: "/metadata/labels", value: {"x": "y"}}, JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("example.com/z"), value: "1"}, JSONPatch{op: "remove", path: "/data/a"}]',
      ),
    ])
    const { json } = await configMap({ a: '1' })
    expect({ labels: json.metadata.labels, data: json.data }).toEqual({
      labels: { x: 'y', 'example.com/z': '1' },
      data: undefined,
    })
  })

  test('works on what the one before made, in the order of names, and again if needed', async () => {
    const append = (letter: string): object[] => [
      apply(`Object{data: {"order": object.?data["order"].orValue("") + "${letter}"}}`),
    ]
    await policy('b', append('b'))
    await policy('a', append('a'), { reinvocationPolicy: 'IfNeeded' })
    expect((await configMap()).json.data).toEqual({ order: 'aba' })
  })

  test('has match conditions, variables and parameters', async () => {
    await policy(
      'p',
      [apply('Object{data: {"sum": string(variables.n + params.data.size())}}')],
      {
        variables: [{ name: 'n', expression: 'object.data.size()' }],
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        matchConditions: [{ name: 'marked', expression: '"marked" in object.data' }],
      },
      { paramRef: { name: 'param', namespace, parameterNotFoundAction: 'Deny' } },
    )
    await server.call('DELETE', `${bindings}/p-b`)
    created(
      await post(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: 'param' }, data: { x: '', y: '' } }),
    )
    created(
      await post(bindings, {
        metadata: { name: 'p-b' },
        spec: { policyName: 'p', paramRef: { name: 'param', parameterNotFoundAction: 'Deny' } },
      }),
    )
    expect((await configMap({ a: '1' })).json.data).toEqual({ a: '1' })
    expect((await configMap({ marked: '1' })).json.data).toEqual({ marked: '1', sum: '3' })
  })

  test('what it makes is validated', async () => {
    await policy('p', [apply('Object{data: {"not a key": ""}}')])
    expect((await configMap()).json.message).toMatch(/is invalid: data\[not a key\]: Invalid value/)
  })
})

describe('a policy that cannot be applied', () => {
  test.each([
    [
      apply('Object{data: {"a": object.data.missing}}'),
      'expression \'Object{data: {"a": object.data.missing}}\' resulted in error: no such key: missing',
    ],
    [
      apply('Object{metadata: Object.wrong{}}'),
      'type mismatch: unexpected type name "Object.wrong", expected "Object.metadata", which matches field name path from root Object type',
    ],
    [
      jsonPatch('[JSONPatch{op: "remove", path: "/data/missing"}]'),
      'error applying patch: the server rejected our request due to an error in our request',
    ],
  ])('%j refuses the write', async (mutation, problem) => {
    await policy('p', [mutation])
    const text = `policy 'p' with binding 'p-b' denied request: ${problem}`
    expect(await configMap({ a: '1' })).toMatchObject({
      status: 403,
      json: { reason: 'Invalid', message: text, details: { kind: 'configmaps', causes: [{ message: text }] } },
    })
  })

  test('atomic parts are not changed', async () => {
    await policy(
      'p',
      [
        apply(
          'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "c", args: ["x"]}]}}}}',
        ),
      ],
      { matchConstraints: { resourceRules: [ruleFor('deployments', 'apps')] } },
    )
    const { json } = await post(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name: 'd' },
      spec: {
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } },
      },
    })
    expect(json.message).toContain(
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.template.spec.containers[0].args',
    )
  })

  test('is ignored where its failure policy says so', async () => {
    await policy('p', [apply('Object{data: {"a": object.data.missing}}')], { failurePolicy: 'Ignore' })
    created(await configMap({ a: '1' }))
  })
})

test('mutations are checked when the policy is written', async () => {
  const refused = async (mutation: object): Promise<string> =>
    (
      await post(policies, {
        metadata: { name: 'p' },
        spec: {
          matchConstraints: { resourceRules: [ruleFor('configmaps')] },
          reinvocationPolicy: 'Never',
          mutations: [mutation],
        },
      })
    ).json.message as string
  expect(await refused(apply('object'))).toContain(
    'spec.mutations[0].applyConfiguration.expression: Invalid value: "object": must evaluate to Object but got dyn',
  )
  expect(await refused(jsonPatch('[1]'))).toContain(
    'spec.mutations[0].jsonPatch.expression: Invalid value: "[1]": must evaluate to list(JSONPatch) but got list(int)',
  )
  expect(await refused(jsonPatch('[JSONPatch{oq: "add"}]'))).toContain("undefined field 'oq'")
})
