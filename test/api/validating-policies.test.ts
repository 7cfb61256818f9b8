// ValidatingAdmissionPolicy: what is refused and warned of, when, and in which words.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { configMaps } from '../../src/api/resources.ts'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
const configMapRule = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['configmaps'],
}

let server: TestServer
let namespace = ''
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())
beforeEach(async () => {
  for (const path of [bindings, policies]) await server.call('DELETE', path)
  namespace = await freshNamespace(server, { team: 'a' })
})

const post = (path: string, body: object): Promise<Answer> => server.call('POST', path, { body })
const configMap = (data: Record<string, string>, name = 'c', labels = {}): Promise<Answer> =>
  post(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name, labels }, data })
const created = (answer: Answer): void => expect(answer.status, answer.text).toBe(201)

async function policy(spec: object, binding: object = {}, name = 'p'): Promise<void> {
  created(
    await post(policies, {
      metadata: { name },
      spec: { matchConstraints: { resourceRules: [configMapRule] }, ...spec },
    }),
  )
  created(
    await post(bindings, {
      metadata: { name: `${name}-b` },
      spec: { policyName: name, validationActions: ['Deny'], ...binding },
    }),
  )
}

describe('a bound policy', () => {
  test('refuses what its validations do not hold for', async () => {
    await policy({ validations: [{ expression: 'object.data.size() > 1' }] })
    created(await configMap({ a: '1', b: '2' }))
    const { status, json } = await configMap({ a: '1' }, 'other')
    const text =
      "ValidatingAdmissionPolicy 'p' with binding 'p-b' denied request: failed expression: object.data.size() > 1"
    expect({ status, json }).toMatchObject({
      status: 422,
      json: {
        reason: 'Invalid',
        message: `configmaps "other" is forbidden: ${text}`,
        details: { name: 'other', kind: 'configmaps', causes: [{ message: text }] },
      },
    })
  })

  test('gives its message, message expression and reason', async () => {
    await policy({ validations: [{ expression: '!("a" in object.data)', message: 'no a', reason: 'Forbidden' }] })
    expect(await configMap({ a: '1' })).toMatchObject({
      status: 403,
      json: {
        reason: 'Forbidden',
        message: "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p-b' denied request: no a",
      },
    })
    await policy(
      {
        validations: [
          {
            expression: '!("b" in object.data)',
            message: 'no b',
            messageExpression: '"found b: " + object.data.b',
            reason: 'RequestEntityTooLarge',
          },
        ],
      },
      {},
      'q',
    )
    expect(await configMap({ b: '1' })).toMatchObject({
      status: 413,
      json: {
        message:
          "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'q' with binding 'q-b' denied request: found b: 1",
      },
    })
  })

  test('warns instead of refusing', async () => {
    await policy({ validations: [{ expression: 'false', message: 'hm' }] }, { validationActions: ['Warn', 'Audit'] })
    const answer = await configMap({})
    created(answer)
    expect(answer.headers.warning).toBe(
      "299 - \"Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p-b': hm\"",
    )
  })

  test('without a binding does nothing', async () => {
    created(
      await post(policies, {
        metadata: { name: 'p' },
        spec: { matchConstraints: { resourceRules: [configMapRule] }, validations: [{ expression: 'false' }] },
      }),
    )
    created(await configMap({}))
  })

  test('fails or is ignored when an expression fails', async () => {
    await policy({ validations: [{ expression: 'object.data.missing == "1"' }] })
    expect((await configMap({ a: '1' })).json.message).toContain(
      'denied request: expression \'object.data.missing == "1"\' resulted in error: no such key: missing',
    )
    await server.call('DELETE', `${policies}/p`)
    await policy({ failurePolicy: 'Ignore', validations: [{ expression: 'object.data.missing == "1"' }] }, {}, 'q')
    created(await configMap({ a: '1' }))
  })

  test('composes variables, and computes only those that are read', async () => {
    await policy({
      variables: [
        { name: 'n', expression: 'object.data.size()' },
        { name: 'twice', expression: 'variables.n * 2' },
        { name: 'broken', expression: '1 / 0' },
      ],
      validations: [{ expression: 'variables.twice == 2' }, { expression: 'variables.n != 1 || variables.twice == 2' }],
    })
    created(await configMap({ a: '1' }))
    expect((await configMap({}, 'd')).status).toBe(422)
  })

  test('sees the request, the old object, the namespace and what the caller may do', async () => {
    await policy({
      validations: [
        { expression: 'request.operation == "CREATE" ? oldObject == null : oldObject.data.a == "1"', message: 'old' },
        {
          expression:
            'request.userInfo.groups.exists(g, g == "system:masters") && request.resource.resource == "configmaps" && request.name == object.metadata.name && !request.dryRun',
          message: 'request',
        },
        {
          expression:
            'namespaceObject.metadata.labels.team == "a" && namespaceObject.metadata.name == request.namespace',
          message: 'namespace',
        },
        {
          expression:
            'authorizer.group("").resource("pods").namespace(request.namespace).check("create").allowed() && authorizer.requestResource.check("create").allowed()',
          message: 'masters may',
        },
        {
          expression:
            '!authorizer.serviceAccount("default", "nobody").group("").resource("secrets").check("get").allowed()',
          message: 'nobody may not',
        },
      ],
    })
    created(await configMap({ a: '1' }))
    expect(
      (
        await server.call('PUT', `/api/v1/namespaces/${namespace}/configmaps/c`, {
          body: { metadata: { name: 'c' }, data: { a: '2' } },
        })
      ).status,
    ).toBe(200)
    expect(
      (
        await server.call('PUT', `/api/v1/namespaces/${namespace}/configmaps/c`, {
          body: { metadata: { name: 'c' }, data: { a: '3' } },
        })
      ).json.message,
    ).toContain('denied request: old')
  })

  test('sees what was asked for with the write, as its kind of options', async () => {
    await policy(
      {
        matchConstraints: {
          resourceRules: [{ ...configMapRule, operations: ['*'], resources: ['configmaps', 'pods', 'namespaces'] }],
        },
        validations: [
          {
            expression: 'false',
            messageExpression:
              '[string(request.options.kind), request.options.apiVersion, request.?options.fieldManager.orValue("-"), request.?options.fieldValidation.orValue("-"), string(request.options.?dryRun.orValue([]).size()), string(request.options.?gracePeriodSeconds.orValue(-1)), request.options.?propagationPolicy.orValue("-"), request.namespace].join(" ")',
          },
        ],
      },
      { matchResources: { objectSelector: { matchLabels: { ask: 'yes' } } } },
    )
    const path = `/api/v1/namespaces/${namespace}/configmaps`
    const asked = async (
      method: string,
      target: string,
      body: object,
      headers: Record<string, string> = {},
    ): Promise<string> => {
      const { text, json } = await server.call(method, target, { body, headers })
      return /denied request: (.*)$/.exec(json?.message)?.[1] ?? text
    }
    const labelled = { metadata: { name: 'c', labels: { ask: 'yes' } } }
    expect(await asked('POST', path, labelled)).toBe(`CreateOptions meta.k8s.io/v1 - - 0 -1 - ${namespace}`)
    expect(await asked('POST', `${path}?fieldManager=me&fieldValidation=Strict&dryRun=All`, labelled)).toBe(
      `CreateOptions meta.k8s.io/v1 me Strict 1 -1 - ${namespace}`,
    )
    expect(
      await asked(
        'PATCH',
        `${path}/new?fieldManager=me`,
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new', labels: { ask: 'yes' } } },
        { 'content-type': 'application/apply-patch+yaml' },
      ),
    ).toBe(`CreateOptions meta.k8s.io/v1 me - 0 -1 - ${namespace}`)
    created(await configMap({}))
    expect(
      await asked(
        'PATCH',
        `${path}/c?fieldValidation=Warn`,
        { metadata: { labels: { ask: 'yes' } } },
        { 'content-type': 'application/merge-patch+json' },
      ),
    ).toBe(`UpdateOptions meta.k8s.io/v1 - Warn 0 -1 - ${namespace}`)
    await server.call('DELETE', `${bindings}/p-b`)
    created(await post(path, { metadata: { name: 'd', labels: { ask: 'yes' } } }))
    created(
      await post(`/api/v1/namespaces/${namespace}/pods`, {
        metadata: { name: 'p', labels: { ask: 'yes' } },
        spec: { containers: [{ name: 'c', image: 'i' }], terminationGracePeriodSeconds: 7, nodeName: 'n' },
      }),
    )
    created(
      await post(bindings, {
        metadata: { name: 'p-b' },
        spec: {
          policyName: 'p',
          validationActions: ['Deny'],
          matchResources: { objectSelector: { matchLabels: { ask: 'yes' } } },
        },
      }),
    )
    expect(
      await asked('DELETE', `${path}/d`, {
        kind: 'DeleteOptions',
        apiVersion: 'v1',
        dryRun: ['All'],
        propagationPolicy: 'Orphan',
      }),
    ).toBe(`DeleteOptions meta.k8s.io/v1 - - 1 -1 Orphan ${namespace}`)
    expect(await asked('DELETE', `/api/v1/namespaces/${namespace}/pods/p`, {})).toBe(
      `DeleteOptions meta.k8s.io/v1 - - 0 7 - ${namespace}`,
    )
    expect(await asked('POST', '/api/v1/namespaces', { metadata: { name: 'x', labels: { ask: 'yes' } } })).toBe(
      'CreateOptions meta.k8s.io/v1 - - 0 -1 - x',
    )
  })

  test('asks about lists with selectors, and is told why not', async () => {
    const node = 'system:node:n'
    const mayList = (selectors: string): string => `authorizer.group("").resource("pods")${selectors}.check("list")`
    await policy({
      validations: [
        {
          expression: `${mayList('.fieldSelector("spec.nodeName=n").labelSelector("a=b")')}.allowed()`,
          message: 'own pods',
        },
        {
          expression: `!${mayList('')}.allowed() && !${mayList('.fieldSelector("spec.nodeName=n").fieldSelector("")')}.allowed()`,
          message: 'all pods',
        },
        {
          expression: `!${mayList('.fieldSelector("=,=!").labelSelector("(((")')}.errored() && ${mayList('.fieldSelector("=,=!")')}.error() == ""`,
          message: 'no selector at all',
        },
        {
          expression: `${mayList('.fieldSelector("spec.nodeName=m")')}.reason() == "can only list/watch pods with spec.nodeName field selector\\nRBAC: clusterrole.rbac.authorization.k8s.io \\"gone\\" not found"`,
          message: 'other pods',
        },
        {
          expression:
            'authorizer.requestResource.namespace("").check("create").reason() != authorizer.requestResource.check("create").reason()',
          message: 'namespace taken back',
        },
      ],
    })
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    const roleRef = (kind: string, name: string): object => ({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: node }],
    })
    created(
      await post(`${rbac}/clusterroles`, {
        metadata: { name: 'writer' },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }],
      }),
    )
    created(
      await post(`${rbac}/namespaces/${namespace}/rolebindings`, {
        metadata: { name: 'writer' },
        ...roleRef('ClusterRole', 'writer'),
      }),
    )
    created(
      await post(`${rbac}/clusterrolebindings`, { metadata: { name: 'gone' }, ...roleRef('ClusterRole', 'gone') }),
    )
    await server.as(node, ['system:nodes']).create(configMaps, { metadata: { name: 'c', namespace } })
  })

  test('follows its changes and goes with its binding', async () => {
    await policy({ validations: [{ expression: 'object.data.size() > 0' }] })
    expect((await configMap({})).status).toBe(422)
    await server.call('PATCH', `${policies}/p`, {
      body: { spec: { validations: [{ expression: 'true' }] } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    created(await configMap({}))
    await server.call('PATCH', `${policies}/p`, {
      body: { spec: { validations: [{ expression: 'false' }] } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect((await configMap({}, 'd')).status).toBe(422)
    await server.call('DELETE', `${bindings}/p-b`)
    created(await configMap({}, 'd'))
  })

  test('has so much to spend for all of its expressions, and their messages', async () => {
    const expensive = {
      expression:
        '!authorizer.path("/").check("get").allowed() || !authorizer.path("/").check("get").allowed() || true',
    }
    const withExpensive = (many: number, ...rest: object[]): object => ({
      validations: [...Array.from({ length: many }, () => expensive), ...rest],
    })
    await policy(withExpensive(15))
    expect((await configMap({})).json.message).toContain(
      'denied request: validation failed due to running out of cost budget, no further validation rules will be run',
    )
    await server.call('DELETE', `${policies}/p`)
    await policy(
      withExpensive(14, { expression: 'false', messageExpression: '"costs " + string(lists.range(300000).size())' }),
      {},
      'q',
    )
    expect((await configMap({})).json.message).toContain(
      'denied request: failed messageExpression: validation failed due to running out of cost budget, no further validation rules will be run',
    )
  })

  test('a variable that costs too much is an error like others', async () => {
    await policy({
      variables: [{ name: 'v', expression: 'lists.range(2000000)' }],
      validations: [{ expression: 'variables.v.size() == 1 || true' }, { expression: 'variables.v.size() == 1' }],
    })
    expect((await configMap({})).json.message).toContain(
      'denied request: expression \'variables.v.size() == 1\' resulted in error: composited variable "v" fails to evaluate: operation cancelled: actual cost limit exceeded',
    )
  })

  test('ends an expression that costs too much', async () => {
    await policy({
      validations: [
        { expression: 'lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0)))' },
      ],
    })
    expect((await configMap({})).json.message).toContain(
      'resulted in error: operation cancelled: actual cost limit exceeded',
    )
  })
})

describe('what a policy is about', () => {
  const isRefused = async (labels = {}, name = 'c'): Promise<boolean> =>
    (await configMap({}, name, labels)).status === 422
  const refuse = { validations: [{ expression: 'false' }] }

  test('operations, resources, names and excluded rules', async () => {
    await policy({
      ...refuse,
      matchConstraints: {
        resourceRules: [{ ...configMapRule, resourceNames: ['c'] }],
        excludeResourceRules: [{ ...configMapRule, operations: ['UPDATE'] }],
      },
    })
    expect(await isRefused({}, 'd')).toBe(false)
    expect(await isRefused()).toBe(true)
  })

  test('selectors of objects and namespaces', async () => {
    await policy({
      ...refuse,
      matchConstraints: {
        resourceRules: [configMapRule],
        objectSelector: { matchLabels: { check: 'yes' } },
        namespaceSelector: { matchLabels: { team: 'a' } },
      },
    })
    expect(await isRefused()).toBe(false)
    expect(await isRefused({ check: 'yes' }, 'd')).toBe(true)
    await server.call('PATCH', `/api/v1/namespaces/${namespace}`, {
      body: { metadata: { labels: { team: 'b' } } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(await isRefused({ check: 'yes' }, 'd')).toBe(false)
  })

  test('a binding narrows it', async () => {
    await policy(refuse, { matchResources: { objectSelector: { matchLabels: { check: 'yes' } } } })
    expect(await isRefused()).toBe(false)
    expect(await isRefused({ check: 'yes' }, 'd')).toBe(true)
  })

  test('match conditions', async () => {
    await policy({
      ...refuse,
      matchConditions: [
        { name: 'labelled', expression: 'has(object.metadata.labels) && "check" in object.metadata.labels' },
      ],
    })
    expect(await isRefused()).toBe(false)
    expect(await isRefused({ check: '' }, 'd')).toBe(true)
  })

  test('deletions', async () => {
    await policy({
      matchConstraints: { resourceRules: [{ ...configMapRule, operations: ['DELETE'] }] },
      validations: [{ expression: 'object == null && oldObject.data.keep != "yes"', message: 'kept' }],
    })
    created(await configMap({ keep: 'yes' }))
    expect((await server.call('DELETE', `/api/v1/namespaces/${namespace}/configmaps/c`)).json.message).toContain(
      'denied request: kept',
    )
  })

  test('equivalent resources of other groups', async () => {
    await policy({
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['events.k8s.io'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['events'] },
        ],
      },
      validations: [
        {
          expression: 'object.apiVersion == "v1"',
          messageExpression: '"seen as " + request.kind.group + " for " + request.requestKind.version',
        },
      ],
    })
    const answer = await post(`/api/v1/namespaces/${namespace}/events`, {
      metadata: { name: 'e', namespace },
      involvedObject: { namespace, kind: 'Pod', name: 'x' },
      reason: 'r',
      message: 'm',
      type: 'Normal',
      source: { component: 'c' },
    })
    expect(answer.json.message).toContain('denied request: seen as events.k8s.io for v1')
  })

  test('no policy is asked about policies', async () => {
    await policy({
      ...refuse,
      matchConstraints: {
        resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }],
      },
    })
    expect((await server.call('DELETE', `${policies}/p`)).status).toBe(200)
  })
})

describe('parameters', () => {
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: { resourceRules: [{ ...configMapRule, resources: ['secrets'] }] },
    validations: [
      { expression: 'object.type == params.data.type', messageExpression: '"type must be " + params.data.type' },
    ],
  }
  const secret = (type: string): Promise<Answer> =>
    post(`/api/v1/namespaces/${namespace}/secrets`, { metadata: { generateName: 's-' }, type })

  test('by name, in the namespace of the object', async () => {
    await policy(spec, { paramRef: { name: 'c', parameterNotFoundAction: 'Deny' } })
    expect((await secret('x')).json.message).toContain(
      'denied request: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    )
    created(await configMap({ type: 'wanted' }))
    created(await secret('wanted'))
    expect((await secret('x')).json.message).toContain('denied request: type must be wanted')
  })

  test('by selector, all must hold; none is allowed', async () => {
    await policy(spec, { paramRef: { selector: { matchLabels: { param: 'yes' } }, parameterNotFoundAction: 'Allow' } })
    created(await secret('x'))
    created(await configMap({ type: 'a' }, 'a', { param: 'yes' }))
    created(await configMap({ type: 'b' }, 'b', { param: 'yes' }))
    expect((await secret('a')).json.message).toContain('denied request: type must be b')
  })
})

describe('the expressions of a policy are checked when it is written', () => {
  const refused = async (spec: object): Promise<string> => {
    const { status, json } = await post(policies, {
      metadata: { name: 'p' },
      spec: { matchConstraints: { resourceRules: [configMapRule] }, validations: [{ expression: 'true' }], ...spec },
    })
    expect(status).toBe(422)
    return json.message as string
  }

  test.each([
    [
      { validations: [{ expression: 'object.x ==' }] },
      /spec\.validations\[0\]\.expression: Invalid value: "object\.x ==": compilation failed: ERROR: <input>:1:12: Syntax error: mismatched input '<EOF>'/,
    ],
    [
      { validations: [{ expression: '1' }] },
      /spec\.validations\[0\]\.expression: Invalid value: "1": must evaluate to bool but got int/,
    ],
    [{ validations: [{ expression: 'params.x == 1' }] }, /undeclared reference to 'params' \(in container ''\)/],
    [{ validations: [{ expression: 'request.nam == ""' }] }, /undefined field 'nam'/],
    [
      { validations: [{ expression: 'variables.x == 1' }], variables: [{ name: 'y', expression: '1' }] },
      /undefined field 'x'/,
    ],
    [{ validations: [{ expression: 'variables.x == 1' }] }, /undeclared reference to 'variables' \(in container ''\)/],
    [
      { variables: [{ name: 'y', expression: '1' }], matchConditions: [{ name: 'c', expression: 'variables.y == 1' }] },
      /matchConditions\[0\].*undeclared reference to 'variables'/s,
    ],
    [
      { validations: [{ expression: 'namespaceObject.status.conditions.all(c, c.lastTransitionTime < c.nam)' }] },
      /undefined field 'nam'/,
    ],
    [
      { validations: [{ expression: 'true', messageExpression: 'authorizer.path("/")' }] },
      /messageExpression: Invalid value: .*undeclared reference to 'authorizer'/,
    ],
    [
      { validations: [{ expression: 'true', reason: 'Odd' }] },
      /spec\.validations\[0\]\.reason: Unsupported value: "Odd": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"$/,
    ],
    [
      { variables: [{ name: 'a b', expression: '1' }] },
      /spec\.variables\[0\]\.name: Invalid value: "a b": name is not a valid CEL identifier/,
    ],
    [
      { matchConditions: [{ name: 'x', expression: '"a"' }] },
      /spec\.matchConditions\[0\]\.expression: Invalid value: "\\"a\\"": must evaluate to bool but got string/,
    ],
    [
      { auditAnnotations: [{ key: 'k', valueExpression: '1' }] },
      /spec\.auditAnnotations\[0\]\.valueExpression: Invalid value: "1": must evaluate to one of \[string null_type\] but got int/,
    ],
    [
      { auditAnnotations: [{ key: 'a b', valueExpression: ` '${'x'.repeat(5 * 1024)}' ` }] },
      /auditAnnotations\[0\]\.key: Invalid value: "p\/a b": .*auditAnnotations\[0\]\.valueExpression: Required value: must not exceed 5120 bytes in length/s,
    ],
  ])('%j', async (spec, message) => {
    expect(await refused(spec)).toMatch(message)
  })
})
