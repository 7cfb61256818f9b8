// Admission webhooks over HTTPS: the API server asks servers that the test runs on loopback.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { signCertificate } from '../../src/server/auth/certificate-authority.ts'
import { change, definition, install, version } from '../../src/testing/custom-resources.ts'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'
import { startWebhookServer, type WebhookServer } from '../../src/testing/webhook-server.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- reviews hold objects of every shape
type Review = any
type Respond = (request: Review, path: string) => object | Promise<object> | undefined

const suite = '[sig-api-machinery] AdmissionWebhook [Privileged:ClusterAdmin]'
const group = '/apis/admissionregistration.k8s.io/v1'

let server: TestServer
let hooks: WebhookServer
let respond: Respond = () => ({ allowed: true })
let asked: { path: string; request: Review }[] = []
let namespace = ''

beforeAll(async () => {
  server = await startTestServer({ resolveService: () => ({ host: '127.0.0.1', port: hooks.port }) })
  const serving = await signCertificate(
    server.keys.authority,
    { commonName: 'hook', usage: 'server', days: 1, dnsNames: ['hook.hooks.svc'] },
    Date.now(),
  )
  hooks = await startWebhookServer(serving, async ({ request, body }) => {
    const path = request.url!.split('?')[0]!.slice(1)
    const review = JSON.parse(body) as Review
    asked.push({ path, request: review.request })
    const response = await respond(review.request, path)
    return (
      response && {
        kind: 'AdmissionReview',
        apiVersion: review.apiVersion as string,
        response: { uid: review.request.uid as string, ...response },
      }
    )
  })
})
afterAll(async () => {
  await server.close()
  await hooks.close()
})
beforeEach(async () => {
  await Promise.all(
    ['mutating', 'validating'].map(kind => server.call('DELETE', `${group}/${kind}webhookconfigurations`)),
  )
  respond = () => ({ allowed: true })
  namespace = await freshNamespace(server)
  asked = []
})

const post = (path: string, body: object): Promise<Answer> => server.call('POST', path, { body })
const rule = (resource: string, operations: string[] = ['CREATE']): object => ({
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: [resource],
  operations,
})
const configMapRule = rule('configmaps', ['CREATE', 'UPDATE', 'DELETE'])
const webhook = (name: string, rules: object[], more: object = {}): object => ({
  name: `${name}.example.com`,
  rules,
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  clientConfig: {
    service: { namespace: 'hooks', name: 'hook', path: `/${name}` },
    caBundle: Buffer.from(server.keys.authority.certificate).toString('base64'),
  },
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  ...more,
})
async function configure(
  kind: 'mutating' | 'validating',
  name: string,
  webhooks: object[],
  labels: object = {},
): Promise<void> {
  const answer = await post(`${group}/${kind}webhookconfigurations`, { metadata: { name, labels }, webhooks })
  expect(answer.status, answer.text).toBe(201)
  expect(answer.headers['warning']).toBeUndefined()
}
const configMap = (name: string, data: object = {}, more: object = {}): Promise<Answer> =>
  post(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name, ...more }, data })
const patch = (operations: object[]): object => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})
const deny = (message: string, more: object = {}): object => ({ allowed: false, status: { message, ...more } })
const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }

describe('validating', () => {
  test(`${suite} should be able to deny pod and configmap creation [Conformance]`, async () => {
    await configure('validating', 'v', [webhook('deny', [rule('pods'), configMapRule])])
    respond = ({ object }) =>
      object.data?.bad === 'yes' || object.kind === 'Pod'
        ? deny('not like this', {
            code: 422,
            reason: 'Invalid',
            details: { causes: [{ field: 'data.bad', message: 'is bad' }] },
          })
        : { allowed: true }
    const refused = await configMap('a', { bad: 'yes' })
    expect(refused.status).toBe(422)
    expect(refused.json).toMatchObject({
      message: 'admission webhook "deny.example.com" denied the request: not like this',
      reason: 'Invalid',
      details: { causes: [{ field: 'data.bad' }] },
    })
    await post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } })
    expect((await post(`/api/v1/namespaces/${namespace}/pods`, pod)).json.message).toContain('denied the request')
    expect((await configMap('b')).status).toBe(201)
    const patched = await server.call('PATCH', `/api/v1/namespaces/${namespace}/configmaps/b`, {
      body: { data: { bad: 'yes' } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
    expect(patched.status).toBe(422)
    expect(
      (await post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'elsewhere' }, data: { bad: 'yes' } }))
        .status,
    ).toBe(201)
  })

  test('tells the webhook everything about the request', async () => {
    await configure('validating', 'v', [webhook('all', [configMapRule])])
    await configMap('a', { x: '1' })
    await server.call('PUT', `/api/v1/namespaces/${namespace}/configmaps/a?dryRun=All&fieldManager=me`, {
      body: { metadata: { name: 'a' }, data: { x: '2' } },
    })
    await server.call('DELETE', `/api/v1/namespaces/${namespace}/configmaps/a`, {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
    })
    const common = {
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { kind: 'ConfigMap' },
      requestResource: { resource: 'configmaps' },
      name: 'a',
      namespace,
      userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
    }
    expect(asked.map(({ request }) => request as object)).toMatchObject([
      {
        ...common,
        operation: 'CREATE',
        object: { data: { x: '1' } },
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      },
      {
        ...common,
        operation: 'UPDATE',
        object: { data: { x: '2' } },
        oldObject: { data: { x: '1' } },
        dryRun: true,
        options: { kind: 'UpdateOptions', dryRun: ['All'], fieldManager: 'me' },
      },
      {
        ...common,
        operation: 'DELETE',
        object: null,
        oldObject: { data: { x: '1' } },
        dryRun: false,
        options: { kind: 'DeleteOptions', propagationPolicy: 'Background' },
      },
    ])
  })

  test('a denial without words, warnings, and the older review', async () => {
    await configure('validating', 'v', [
      webhook('old', [configMapRule], { admissionReviewVersions: ['v2', 'v1beta1'] }),
    ])
    respond = ({ object }) => ({ allowed: object.metadata.name !== 'bad', warnings: ['think twice'] })
    const refused = await configMap('bad')
    expect(refused.json).toMatchObject({
      code: 400,
      message: 'admission webhook "old.example.com" denied the request without explanation',
    })
    expect(refused.headers['warning']).toBe('299 - "think twice"')
    expect((await configMap('good')).headers['warning']).toBe('299 - "think twice"')
  })

  test(`${suite} patching/updating a validating webhook should work [Conformance]`, async () => {
    await configure('validating', 'v', [webhook('deny', [configMapRule])])
    respond = () => deny('no')
    expect((await configMap('a')).status).toBe(400)
    const change = async (operations: string[]): Promise<void> => {
      await server.call('PATCH', `${group}/validatingwebhookconfigurations/v`, {
        body: [{ op: 'replace', path: '/webhooks/0/rules/0/operations', value: operations }],
        headers: { 'Content-Type': 'application/json-patch+json' },
      })
    }
    await change(['UPDATE'])
    expect((await configMap('a')).status).toBe(201)
    await change(['CREATE'])
    expect((await configMap('b')).status).toBe(400)
  })

  test(`${suite} listing validating webhooks should work [Conformance]`, async () => {
    for (let index = 0; index < 10; index++)
      await configure('validating', `v${index}`, [webhook('deny', [configMapRule])], { test: namespace })
    respond = () => deny('no')
    expect(
      (await server.call('GET', `${group}/validatingwebhookconfigurations?labelSelector=test=${namespace}`)).json.items,
    ).toHaveLength(10)
    expect((await configMap('a')).status).toBe(400)
    expect(asked).toHaveLength(10)
    await server.call('DELETE', `${group}/validatingwebhookconfigurations?labelSelector=test=${namespace}`)
    expect((await configMap('a')).status).toBe(201)
  })

  test(`${suite} should deny crd creation [Conformance]`, async () => {
    await configure('validating', 'v', [
      webhook(
        'crd',
        [
          {
            apiGroups: ['apiextensions.k8s.io'],
            apiVersions: ['v1'],
            resources: ['customresourcedefinitions'],
            operations: ['CREATE'],
          },
        ],
        { namespaceSelector: {} },
      ),
    ])
    respond = () => deny('no definitions')
    const answer = await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'foos.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'foos', kind: 'Foo', singular: 'foo', listKind: 'FooList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    })
    expect(answer.json.message).toBe('admission webhook "crd.example.com" denied the request: no definitions')
  })

  test(`${suite} should unconditionally reject operations on fail closed webhook [Conformance]`, async () => {
    await configure('validating', 'v', [
      webhook('closed', [configMapRule], {
        clientConfig: {
          service: { namespace: 'hooks', name: 'other', path: '/x' },
          caBundle: Buffer.from(server.keys.authority.certificate).toString('base64'),
        },
      }),
    ])
    const answer = await configMap('a')
    expect(answer.status).toBe(500)
    expect(answer.json.reason).toBe('InternalError')
    expect(answer.json.message).toBe(
      'Internal error occurred: failed calling webhook "closed.example.com": failed to call webhook: Post "https://other.hooks.svc:443/x?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for hook.hooks.svc, not other.hooks.svc',
    )
  })

  test(`${suite} should honor timeout [Conformance]`, async () => {
    const waiting: (() => void)[] = []
    respond = () =>
      new Promise(resolve => {
        waiting.push(() => resolve({ allowed: true }))
      })
    await configure('validating', 'v', [webhook('slow', [configMapRule], { timeoutSeconds: 1 })])
    const late = await configMap('a')
    expect(late.status).toBe(500)
    expect(late.json.message).toBe(
      'Internal error occurred: failed calling webhook "slow.example.com": failed to call webhook: Post "https://hook.hooks.svc:443/slow?timeout=1s": context deadline exceeded',
    )
    await server.call('DELETE', `${group}/validatingwebhookconfigurations/v`)
    await configure('validating', 'w', [
      webhook('slow', [configMapRule], { timeoutSeconds: 1, failurePolicy: 'Ignore' }),
    ])
    expect((await configMap('a')).status).toBe(201)
    for (const end of waiting) end()
  })

  test.each<[string, object]>([
    ['another uid', { uid: 'x', allowed: true }],
    ['a patch', patch([{ op: 'add', path: '/data', value: {} }])],
    ['no sense', { allowed: 'yes' }],
  ])('an answer with %s is no permission', async (_what, answer) => {
    await configure('validating', 'v', [webhook('odd', [configMapRule])])
    respond = () => answer
    const { status } = await configMap('a')
    expect([400, 500]).toContain(status)
  })

  test(`${suite} should not be able to mutate or prevent deletion of webhook configuration objects [Conformance]`, async () => {
    const everything = webhook(
      'all',
      [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], operations: ['*'] }],
      { namespaceSelector: {}, objectSelector: { matchLabels: { test: namespace } } },
    )
    await configure('validating', 'v', [everything])
    await configure('mutating', 'm', [everything])
    respond = () => deny('nothing at all')
    await configure('validating', 'other', [webhook('w', [configMapRule])], { test: namespace })
    expect((await server.call('DELETE', `${group}/validatingwebhookconfigurations/other`)).status).toBe(200)
    expect((await configMap('a', {}, { labels: { test: namespace } })).status).toBe(400)
    expect((await configMap('b')).status).toBe(201)
  })

  test(`${suite} should be able to deny attaching pod [Conformance]`, async () => {
    await post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } })
    await post(`/api/v1/namespaces/${namespace}/pods`, { ...pod, spec: { ...pod.spec, nodeName: 'node' } })
    await configure('validating', 'v', [webhook('attach', [rule('pods/attach', ['CONNECT'])])])
    respond = () => deny('no attaching')
    const answer = await server.call(
      'POST',
      `/api/v1/namespaces/${namespace}/pods/p/attach?container=c&stdin=true&stdout=true`,
      { headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' } },
    )
    expect(answer.json.message).toBe('admission webhook "attach.example.com" denied the request: no attaching')
    expect(asked[0]!.request).toMatchObject({
      operation: 'CONNECT',
      kind: { group: '', version: 'v1', kind: 'PodAttachOptions' },
      resource: { resource: 'pods' },
      subResource: 'attach',
      requestSubResource: 'attach',
      name: 'p',
      namespace,
      object: { kind: 'PodAttachOptions', apiVersion: 'v1', stdin: true, stdout: true, container: 'c' },
      oldObject: null,
      options: null,
    })
  })

  test.each<[string, string, string, string, object]>([
    ['pods', 'exec', 'p', '/exec?command=ls&stdout=true', { kind: 'PodExecOptions', command: ['ls'], stdout: true }],
    [
      'pods',
      'exec',
      'none',
      '/exec?stdin&stdout=0&stderr=False',
      { kind: 'PodExecOptions', command: null, stdin: true },
    ],
    ['pods', 'attach', 'p', '/attach?container=c&tty=yes', { kind: 'PodAttachOptions', container: 'c', tty: true }],
    ['pods', 'portforward', 'p', '/portforward?ports=1&ports=2', { kind: 'PodPortForwardOptions', ports: [1, 2] }],
    ['pods', 'proxy', 'http:p:80', '/proxy/x/y%20z/?z', { kind: 'PodProxyOptions', path: 'x/y z' }],
    ['services', 'proxy', 's', '/proxy', { kind: 'ServiceProxyOptions' }],
    ['nodes', 'proxy', 'n', '/proxy/pods', { kind: 'NodeProxyOptions', path: 'pods' }],
  ])(
    'tells the webhook with which options %s/%s of %s is connected to',
    async (resource, subResource, name, below, object) => {
      await configure('validating', 'v', [webhook('connect', [rule(`${resource}/${subResource}`, ['CONNECT'])])])
      respond = () => deny('no connection')
      const { json } = await server.call(
        'GET',
        `/api/v1/${resource === 'nodes' ? '' : `namespaces/${namespace}/`}${resource}/${name}${below}`,
      )
      expect(json.message).toContain('no connection')
      const kind = { group: '', version: 'v1', kind: (object as { kind: string }).kind }
      expect(asked).toHaveLength(1)
      expect(asked[0]!.request).toMatchObject({
        operation: 'CONNECT',
        kind,
        requestKind: kind,
        resource: { group: '', version: 'v1', resource },
        subResource,
        name,
        oldObject: null,
        options: null,
      })
      expect(asked[0]!.request.object).toEqual({ apiVersion: 'v1', ...object })
    },
  )

  test('scale is asked about as what it is', async () => {
    await post(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
      metadata: { name: 'd' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: { labels: { a: 'b' } }, spec: pod.spec },
      },
    })
    await configure('validating', 'v', [
      webhook('scale', [
        { apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments/scale'], operations: ['UPDATE'] },
      ]),
    ])
    respond = ({ object }) => (object.spec.replicas > 3 ? deny('too many') : { allowed: true })
    const scale = (replicas: number): Promise<Answer> =>
      server.call('PATCH', `/apis/apps/v1/namespaces/${namespace}/deployments/d/scale`, {
        body: { spec: { replicas } },
        headers: { 'Content-Type': 'application/merge-patch+json' },
      })
    expect((await scale(4)).json.message).toContain('too many')
    expect((await scale(2)).json.spec.replicas).toBe(2)
    expect(asked[0]!.request).toMatchObject({
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      resource: { group: 'apps', resource: 'deployments' },
      subResource: 'scale',
      object: { spec: { replicas: 4 } },
      oldObject: { spec: { replicas: 1 } },
    })
  })

  test('an equivalent version is asked about in the form the webhook knows', async () => {
    const rules = [
      {
        apiGroups: ['autoscaling'],
        apiVersions: ['v1'],
        resources: ['horizontalpodautoscalers'],
        operations: ['CREATE'],
      },
    ]
    await configure('validating', 'v', [
      webhook('equivalent', rules),
      webhook('exact', rules, { matchPolicy: 'Exact' }),
    ])
    await post(`/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`, {
      metadata: { name: 'h' },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
    })
    expect(asked.map(({ path }) => path)).toEqual(['equivalent'])
    expect(asked[0]!.request).toMatchObject({
      kind: { version: 'v1' },
      requestKind: { version: 'v2' },
      object: { apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 50 } },
    })
  })
})

describe('mutating', () => {
  test(`${suite} should mutate configmap [Conformance]`, async () => {
    await configure('mutating', 'm', [webhook('one', [configMapRule]), webhook('two', [configMapRule])])
    respond = ({ object }, path) => {
      if (path === 'one' && object.data.start === 'yes' && object.data.one === undefined)
        return patch([{ op: 'add', path: '/data/one', value: 'yes' }])
      if (path === 'two' && object.data.one === 'yes' && object.data.two === undefined)
        return patch([{ op: 'add', path: '/data/two', value: 'yes' }])
      return { allowed: true }
    }
    const { json } = await configMap('a', { start: 'yes' })
    expect(json.data).toEqual({ start: 'yes', one: 'yes', two: 'yes' })
    expect((await server.call('GET', `/api/v1/namespaces/${namespace}/configmaps/a`)).json.data).toEqual(json.data)
    expect(asked.map(({ path }) => path)).toEqual(['one', 'two'])
  })

  test(`${suite} should mutate pod and apply defaults after mutation [Conformance]`, async () => {
    await post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } })
    await configure('mutating', 'm', [webhook('init', [rule('pods')])])
    respond = ({ object }) =>
      object.spec.initContainers === undefined
        ? patch([{ op: 'add', path: '/spec/initContainers', value: [{ name: 'added', image: 'x:1', nonsense: true }] }])
        : { allowed: true }
    const { json } = await post(`/api/v1/namespaces/${namespace}/pods`, pod)
    expect(json.spec.initContainers[0]).toMatchObject({ name: 'added', terminationMessagePolicy: 'File' })
    expect(json.spec.initContainers[0]).not.toHaveProperty('nonsense')
    // The plug-ins ran again: what was added has its token too.
    expect(json.spec.initContainers[0].volumeMounts).toHaveLength(1)
  })

  test('earlier webhooks that want to are asked again after a change', async () => {
    await configure('mutating', 'm', [
      webhook('a', [configMapRule], { reinvocationPolicy: 'IfNeeded' }),
      webhook('b', [configMapRule]),
      webhook('c', [configMapRule], { reinvocationPolicy: 'IfNeeded' }),
    ])
    respond = (_request, path) =>
      path === 'b' ? patch([{ op: 'add', path: '/data', value: { b: 'yes' } }]) : { allowed: true }
    await configMap('a')
    expect(asked.map(({ path }) => path)).toEqual(['a', 'b', 'c', 'a'])
  })

  test(`${suite} listing mutating webhooks should work [Conformance]`, async () => {
    for (let index = 0; index < 10; index++)
      await configure('mutating', `m${9 - index}`, [webhook(`w${9 - index}`, [configMapRule])], { test: namespace })
    respond = (_request, path) => patch([{ op: 'add', path: `/data/${path}`, value: 'yes' }])
    expect(
      (await server.call('GET', `${group}/mutatingwebhookconfigurations?labelSelector=test=${namespace}`)).json.items,
    ).toHaveLength(10)
    expect(Object.keys((await configMap('a', { x: 'y' })).json.data as object)).toHaveLength(11)
    expect(asked.map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, index) => `w${index}`))
    await server.call('DELETE', `${group}/mutatingwebhookconfigurations?labelSelector=test=${namespace}`)
    expect((await configMap('b', { x: 'y' })).json.data).toEqual({ x: 'y' })
  })

  test(`${suite} patching/updating a mutating webhook should work [Conformance]`, async () => {
    await configure('mutating', 'm', [webhook('w', [configMapRule])])
    respond = () => patch([{ op: 'add', path: '/data/w', value: 'yes' }])
    const change = async (operations: string[]): Promise<void> => {
      const { json } = await server.call('GET', `${group}/mutatingwebhookconfigurations/m`)
      json.webhooks[0].rules[0].operations = operations
      await server.call('PUT', `${group}/mutatingwebhookconfigurations/m`, { body: json })
    }
    await change(['UPDATE'])
    expect((await configMap('a', { x: 'y' })).json.data).toEqual({ x: 'y' })
    await change(['CREATE'])
    expect((await configMap('b', { x: 'y' })).json.data).toEqual({ x: 'y', w: 'yes' })
  })

  test.each<[string, object]>([
    ['a patch that does not fit', patch([{ op: 'remove', path: '/data/none/there' }])],
    ['a patch that is none', { allowed: true, patchType: 'JSONPatch', patch: 'AAAA' }],
    ['an object that cannot be read', patch([{ op: 'add', path: '/data', value: 7 }])],
    ['a patch of no type', { allowed: true, patch: 'W10=' }],
    ['a patch of another type', { allowed: true, patch: 'W10=', patchType: 'Full' }],
    ['everything gone', patch([{ op: 'replace', path: '', value: null }])],
  ])('%s is a fault of the webhook', async (_what, answer) => {
    await configure('mutating', 'm', [webhook('bad', [configMapRule])])
    respond = () => answer
    const { status, json } = await configMap('a')
    expect(status, json.message).toBe(500)
    expect(json.message).toMatch(/^Internal error occurred: (?!an unexpected fault)/)
    expect((await server.call('GET', `/api/v1/namespaces/${namespace}/configmaps/a`)).status).toBe(404)
  })

  describe('what is posted to a subresource counts as the webhooks leave it', () => {
    const pods = (part = ''): string => `/api/v1/namespaces/${namespace}/pods/p${part}`
    const change = async (resource: string, ...operations: object[]): Promise<void> => {
      await configure('mutating', 'm', [
        webhook('part', [rule(resource, ['*'])], {
          ...(resource === 'deployments/scale' && {
            rules: [{ apiGroups: ['apps'], apiVersions: ['v1'], resources: [resource], operations: ['UPDATE'] }],
          }),
        }),
      ])
      respond = () => patch(operations)
    }
    beforeEach(async () => {
      await post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } })
      await post(`/api/v1/namespaces/${namespace}/pods`, pod)
    })

    test('eviction', async () => {
      await change('pods/eviction', { op: 'add', path: '/deleteOptions', value: { preconditions: { uid: 'another' } } })
      expect((await post(pods('/eviction'), { metadata: { name: 'p' } })).json).toMatchObject({
        code: 409,
        reason: 'Conflict',
      })
      respond = () => patch([{ op: 'add', path: '/deleteOptions', value: { dryRun: ['All'] } }])
      expect((await post(pods('/eviction'), { metadata: { name: 'p' } })).status).toBe(201)
      expect((await server.call('GET', pods())).status).toBe(200)
      expect(asked.at(-1)?.request).toMatchObject({
        kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
        name: 'p',
        dryRun: false,
      })
      respond = () => patch([{ op: 'replace', path: '/metadata/name', value: 'q' }])
      expect((await post(pods('/eviction'), { metadata: { name: 'p' } })).json).toMatchObject({
        code: 400,
        message: 'name in URL does not match name in Eviction object',
      })
    })

    test('binding', async () => {
      await change(
        'pods/binding',
        { op: 'replace', path: '/target/name', value: 'other-node' },
        { op: 'add', path: '/metadata/annotations', value: { moved: 'yes' } },
      )
      expect(
        (await post(`${pods('/binding')}?dryRun=All`, { metadata: { name: 'p' }, target: { name: 'node' } })).status,
      ).toBe(201)
      expect(asked.at(-1)?.request.dryRun).toBe(true)
      expect((await server.call('GET', pods())).json.spec.nodeName).toBeUndefined()
      expect((await post(pods('/binding'), { metadata: { name: 'p' }, target: { name: 'node' } })).status).toBe(201)
      expect((await server.call('GET', pods())).json).toMatchObject({
        metadata: { annotations: { moved: 'yes' } },
        spec: { nodeName: 'other-node' },
      })
    })

    test('a binding among the bindings', async () => {
      await configure('validating', 'v', [webhook('pods', [rule('pods/binding')])])
      await change('bindings', { op: 'replace', path: '/target/name', value: 'other-node' })
      const bindings = `/api/v1/namespaces/${namespace}/bindings`
      expect(
        (await post(bindings, { metadata: { name: 'p', uid: 'of-nobody' }, target: { name: 'node' } })).status,
      ).toBe(201)
      expect((await server.call('GET', pods())).json.spec.nodeName).toBe('other-node')
      expect(asked).toHaveLength(1)
      expect(asked[0]!.request).toMatchObject({
        kind: { kind: 'Binding' },
        resource: { group: '', version: 'v1', resource: 'bindings' },
        name: 'p',
        namespace,
        operation: 'CREATE',
      })
      expect(asked[0]!.request).not.toHaveProperty('subResource')
      const elsewhere = { metadata: { name: 'p', namespace: 'default' }, target: { name: 'node' } }
      for (const path of [bindings, pods('/binding')])
        expect((await post(path, elsewhere)).json).toMatchObject({
          code: 400,
          message: 'the namespace of the provided object does not match the namespace sent on the request',
        })
    })

    test('a token', async () => {
      await change(
        'serviceaccounts/token',
        { op: 'add', path: '/spec/audiences', value: ['vault'] },
        { op: 'add', path: '/spec/expirationSeconds', value: 700 },
      )
      const token = `/api/v1/namespaces/${namespace}/serviceaccounts/default/token`
      const { json } = await post(token, { spec: {} })
      expect(asked.at(-1)?.request.object.spec).toMatchObject({ expirationSeconds: 3600 })
      expect(json.spec).toMatchObject({ audiences: ['vault'], expirationSeconds: 700 })
      const claims = JSON.parse(Buffer.from(json.status.token.split('.')[1], 'base64url').toString())
      expect([claims.aud, claims.exp - claims.iat]).toEqual([['vault'], 700])
      respond = () => patch([{ op: 'add', path: '/spec/expirationSeconds', value: 5 }])
      expect((await post(token, { spec: {} })).json.message).toContain(
        'may not specify a duration less than 10 minutes',
      )
    })

    test('a scale', async () => {
      const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments`
      await post(deployment, {
        metadata: { name: 'd' },
        spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: pod.spec } },
      })
      await change('deployments/scale', { op: 'replace', path: '/spec/replicas', value: 7 })
      const scaled = await server.call('PATCH', `${deployment}/d/scale`, {
        body: { spec: { replicas: 3 } },
        headers: { 'Content-Type': 'application/merge-patch+json' },
      })
      expect(scaled.json.spec.replicas).toBe(7)
      respond = () => patch([{ op: 'replace', path: '/spec/replicas', value: -1 }])
      expect(
        (
          await server.call('PUT', `${deployment}/d/scale`, {
            body: { metadata: { name: 'd' }, spec: { replicas: 3 } },
          })
        ).json.message,
      ).toContain('Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1')
    })

    test('a patch that makes no such object of it is a fault of the webhook', async () => {
      await change('pods/binding', { op: 'replace', path: '/target', value: 'nowhere' })
      expect((await post(pods('/binding'), { metadata: { name: 'p' }, target: { name: 'node' } })).json).toMatchObject({
        code: 500,
        reason: 'InternalError',
        message: expect.stringContaining('Binding'),
      })
    })
  })

  test('a name given by a webhook is the name', async () => {
    await configure('mutating', 'm', [webhook('w', [configMapRule])])
    respond = () => patch([{ op: 'replace', path: '/metadata/name', value: 'renamed' }])
    expect((await configMap('a')).json.metadata.name).toBe('renamed')
    expect((await server.call('GET', `/api/v1/namespaces/${namespace}/configmaps/renamed`)).status).toBe(200)
  })
})

describe('match conditions', () => {
  const unless = (name: string): object => ({
    matchConditions: [{ name: 'not-that-one', expression: `object.metadata.name != '${name}'` }],
  })

  test(`${suite} should be able to create and update validating webhook configurations with match conditions [Conformance]`, async () => {
    await configure('validating', 'v', [webhook('deny', [configMapRule], unless('skip-me'))])
    respond = () => deny('never')
    expect((await configMap('skip-me')).status).toBe(201)
    expect((await configMap('other')).status).toBe(400)
    const changed = await server.call('PATCH', `${group}/validatingwebhookconfigurations/v`, {
      body: [
        { op: 'replace', path: '/webhooks/0/matchConditions/0/expression', value: "object.metadata.name != 'other'" },
      ],
      headers: { 'Content-Type': 'application/json-patch+json' },
    })
    expect(changed.status, changed.text).toBe(200)
    expect((await configMap('other')).status).toBe(201)
    expect((await configMap('third')).status).toBe(400)
  })

  test(`${suite} should be able to create and update mutating webhook configurations with match conditions [Conformance] and should mutate everything except 'skip-me' configmaps [Conformance]`, async () => {
    await configure('mutating', 'm', [webhook('mark', [configMapRule], unless('skip-me'))])
    respond = () => patch([{ op: 'add', path: '/data/marked', value: 'yes' }])
    expect((await configMap('skip-me', { a: 'b' })).json.data).toEqual({ a: 'b' })
    expect((await configMap('other', { a: 'b' })).json.data).toEqual({ a: 'b', marked: 'yes' })
  })

  for (const kind of ['validating', 'mutating']) {
    test(`${suite} should reject ${kind} webhook configurations with invalid match conditions [Conformance]`, async () => {
      const answer = await post(`${group}/${kind}webhookconfigurations`, {
        metadata: { name: 'bad' },
        webhooks: [
          webhook('bad', [configMapRule], {
            matchConditions: [{ name: 'broken', expression: '... [] bad expression' }],
          }),
        ],
      })
      expect(answer.status).toBe(422)
      expect(answer.json.details.causes[0]).toMatchObject({
        reason: 'FieldValueInvalid',
        field: 'webhooks[0].matchConditions[0].expression',
        message: expect.stringContaining('compilation failed'),
      })
    })
  }

  test('that fail refuse the request, or let it pass without the webhook, as the failure policy says', async () => {
    const broken = { matchConditions: [{ name: 'absent', expression: "object.data.absent == 'x'" }] }
    await configure('validating', 'v', [webhook('closed', [configMapRule], broken)])
    const refused = await configMap('a')
    expect(refused).toMatchObject({
      status: 403,
      json: {
        reason: 'Forbidden',
        message: expect.stringContaining(
          "configmaps \"a\" is forbidden: expression 'object.data.absent == 'x'' resulted in error: no such key",
        ),
      },
    })
    await server.call('DELETE', `${group}/validatingwebhookconfigurations/v`)
    await configure('validating', 'v', [webhook('open', [configMapRule], { ...broken, failurePolicy: 'Ignore' })])
    expect((await configMap('a')).status).toBe(201)
    expect(asked).toEqual([])
  })
})

test(`${suite} should include webhook resources in discovery documents [Conformance]`, async () => {
  const { json } = await server.call('GET', group)
  expect(json.resources.map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining(['mutatingwebhookconfigurations', 'validatingwebhookconfigurations']),
  )
})

describe('custom resources', () => {
  const crdGroup = 'hooked.example.com'
  const boats = (name = 'v1'): string => `/apis/${crdGroup}/${name}/namespaces/${namespace}/boats`
  const boatRule = {
    apiGroups: [crdGroup],
    apiVersions: ['*'],
    resources: ['boats'],
    operations: ['CREATE', 'UPDATE', 'DELETE'],
  }
  const schema = { type: 'object' as const, properties: { stage1: { type: 'string' }, stage2: { type: 'string' } } }
  const marks: Respond = ({ object }, path) =>
    patch([{ op: 'add', path: '/spec', value: { ...object.spec, [path]: 'yes', nobody: 'knows' } }])
  beforeAll(() =>
    install(
      server,
      definition({ group: crdGroup, versions: [version(schema), version(schema, { name: 'v2', storage: false })] }),
    ),
  )

  test(`${suite} should be able to deny custom resource creation, update and deletion [Conformance]`, async () => {
    await post(boats(), { metadata: { name: 'there' }, spec: {} })
    await configure('validating', 'v', [webhook('boats', [boatRule])])
    respond = () => deny('no boats')
    const update = await server.call('PATCH', `${boats()}/there`, {
      body: { spec: { stage1: 'x' } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
    const answers = [
      await post(boats(), { metadata: { name: 'a' } }),
      update,
      await server.call('DELETE', `${boats()}/there`),
    ]
    expect(answers.map(({ status, json }) => [status, json.message])).toEqual(
      answers.map(() => [400, 'admission webhook "boats.example.com" denied the request: no boats']),
    )
  })

  test(`${suite} should mutate custom resource [Conformance]; ${suite} should mutate custom resource with pruning [Conformance]`, async () => {
    await configure('mutating', 'm', [webhook('stage1', [boatRule]), webhook('stage2', [boatRule])])
    respond = marks
    expect((await post(boats(), { metadata: { name: 'a' }, spec: {} })).json.spec).toEqual({
      stage1: 'yes',
      stage2: 'yes',
    })
  })

  test(`${suite} should mutate custom resource with different stored version [Conformance]`, async () => {
    await post(boats(), { metadata: { name: 'a' }, spec: {} })
    await change(server, `boats.${crdGroup}`, {
      versions: [version(schema, { storage: false }), version(schema, { name: 'v2' })],
    })
    await configure('mutating', 'm', [webhook('stage1', [boatRule])])
    respond = marks
    const { json } = await server.call('PATCH', `${boats()}/a`, {
      body: { metadata: { labels: { a: 'b' } } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
    expect(json).toMatchObject({ apiVersion: `${crdGroup}/v1`, spec: { stage1: 'yes' } })
  })
})
