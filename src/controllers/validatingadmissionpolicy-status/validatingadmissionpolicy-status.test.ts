import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JSONSchemaProps } from '../../api/generated/models.ts'
import { allKinds } from '../../api/kinds/all.ts'
import { validatingAdmissionPolicies } from '../../api/resources.ts'
import type { ControllerContext } from '../../control/controller.ts'
import { definition, install, version } from '../../testing/custom-resources.ts'
import { startTestServer, type TestServer } from '../../testing/in-process-server.ts'
import { validatingAdmissionPolicyStatusController } from './validatingadmissionpolicy-status.ts'

const rule = {
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  operations: ['CREATE'],
  resources: ['deployments', 'replicasets', 'deployments/scale'],
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const warningsOf = async (name: string, spec: object): Promise<object[] | undefined> => {
  const { local: client } = server
  const reconcile = validatingAdmissionPolicyStatusController(allKinds).reconciler({
    client,
  } as Partial<ControllerContext> as ControllerContext)
  await client.create(validatingAdmissionPolicies, { metadata: { name }, spec })
  await client.informer(validatingAdmissionPolicies).synced
  expect(await reconcile(name)).toBe('done')
  const { status } = await client.get(validatingAdmissionPolicies, { name })
  expect(status).toMatchObject({ observedGeneration: 1, typeChecking: {} })
  return status?.typeChecking?.expressionWarnings
}
const wrong = (kind: string, column: number, source: string, problem: string): string =>
  `${kind}: ERROR: <input>:1:${column}: ${problem}\n | ${source}\n | ${'.'.repeat(column - 1)}^\n`
const undefinedField = (kind: string, column: number, source: string, field: string): string =>
  wrong(kind, column, source, `undefined field '${field}'`)
const [deployment, replicaSet] = ['apps/v1, Kind=Deployment', 'apps/v1, Kind=ReplicaSet'] as const

test('the status of a policy says what its expressions get wrong about the kinds it names', async () => {
  const warnings = await warningsOf('p', {
    matchConstraints: { resourceRules: [rule] },
    paramKind: { apiVersion: 'example.com/v7', kind: 'Unknown' },
    variables: [{ name: 'n', expression: 'object.spec.replicas' }],
    validations: [
      {
        expression:
          'object.spec.template.spec.containers.all(c, c.name.startsWith("x")) && object.metadata.creationTimestamp < timestamp("2100-01-01T00:00:00Z") && object.metadata.labels.app == "x"',
      },
      { expression: 'object.spec.replicaz > 1', messageExpression: '"n is " + string(variables.n)' },
      { expression: 'object.spec.strategy.type == "Recreate"' },
      { expression: 'params.x == 1' },
    ],
  })
  const both = (column: number, source: string, problem: string): string =>
    [deployment, replicaSet].map(kind => wrong(kind, column, source, problem)).join('\n')
  expect(warnings).toEqual([
    {
      fieldRef: 'spec.validations[1].expression',
      warning: both(12, 'object.spec.replicaz > 1', "undefined field 'replicaz'"),
    },
    {
      fieldRef: 'spec.validations[2].expression',
      warning: undefinedField(replicaSet, 12, 'object.spec.strategy.type == "Recreate"', 'strategy'),
    },
    {
      fieldRef: 'spec.validations[3].expression',
      warning: both(1, 'params.x == 1', "undeclared reference to 'params' (in container '')"),
    },
  ])
  const { local: client } = server
  const { metadata } = await client.get(validatingAdmissionPolicies, { name: 'p' })
  await validatingAdmissionPolicyStatusController(allKinds).reconciler({
    client,
  } as Partial<ControllerContext> as ControllerContext)('p')
  expect((await client.get(validatingAdmissionPolicies, { name: 'p' })).metadata.resourceVersion).toBe(
    metadata.resourceVersion,
  )
})

test('custom kinds have the types of their schemas, as objects and as parameters', async () => {
  const part: JSONSchemaProps = {
    type: 'object',
    properties: {
      length: { type: 'integer' },
      free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      port: { 'x-kubernetes-int-or-string': true },
    },
  }
  await install(
    server,
    definition({
      kind: 'Boat',
      versions: [version(part), version({ type: 'object' }, { name: 'v2', storage: false })],
    }),
  )
  const boats = { apiGroups: ['example.com'], apiVersions: ['v2', 'v1'], operations: ['*'], resources: ['boats'] }
  expect(
    await warningsOf('boats', {
      matchConstraints: {
        resourceRules: [
          boats,
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods', '*'] },
        ],
      },
      paramKind: { apiVersion: 'example.com/v1', kind: 'Boat' },
      validations: [
        { expression: 'has(object.metadata.ownerReferences) && params.spec.length > 1 && params.spec.port == "x"' },
        { expression: 'object.spec.length > "a"' },
        { expression: 'params.spec.free.x == 1' },
        { expression: 'params.spec.width == 1' },
      ],
    }),
  ).toEqual([
    {
      fieldRef: 'spec.validations[1].expression',
      warning: [
        undefinedField('/v1, Kind=Pod', 12, 'object.spec.length > "a"', 'length'),
        wrong(
          'example.com/v1, Kind=Boat',
          20,
          'object.spec.length > "a"',
          "found no matching overload for '_>_' applied to '(int, string)'",
        ),
        undefinedField('example.com/v2, Kind=Boat', 12, 'object.spec.length > "a"', 'length'),
      ].join('\n'),
    },
    ...[
      [2, 17, 'params.spec.free.x == 1', 'x'],
      [3, 12, 'params.spec.width == 1', 'width'],
    ].map(([index, column, source, field]) => ({
      fieldRef: `spec.validations[${index}].expression`,
      warning: ['/v1, Kind=Pod', 'example.com/v1, Kind=Boat', 'example.com/v2, Kind=Boat']
        .map(kind => undefinedField(kind, column as number, source as string, field as string))
        .join('\n'),
    })),
  ])
})

test('what the published schemas give no type cannot be seen', async () => {
  expect(
    await warningsOf('quantities', {
      matchConstraints: { resourceRules: [{ ...rule, apiGroups: [''], resources: ['pods'] }] },
      validations: [
        { expression: 'object.spec.containers[0].resources.limits["cpu"] == "1"' },
        { expression: 'authorizer.requestResource.check("get").allowed()' },
      ],
    }),
  ).toEqual([
    {
      fieldRef: 'spec.validations[0].expression',
      warning: undefinedField(
        '/v1, Kind=Pod',
        36,
        'object.spec.containers[0].resources.limits["cpu"] == "1"',
        'limits',
      ),
    },
    {
      fieldRef: 'spec.validations[1].expression',
      warning: wrong(
        '/v1, Kind=Pod',
        11,
        'authorizer.requestResource.check("get").allowed()',
        "unexpected failed resolution of 'kubernetes.authorization.Authorizer'",
      ),
    },
  ])
})

test('ten kinds are checked; rules after the one that named the tenth are not looked at', async () => {
  const core = [
    'pods',
    'configmaps',
    'secrets',
    'services',
    'endpoints',
    'events',
    'limitranges',
    'namespaces',
    'nodes',
    'persistentvolumes',
    'serviceaccounts',
  ]
  const warnings = (await warningsOf('many', {
    matchConstraints: {
      resourceRules: [
        { ...rule, apiGroups: ['batch'], resources: ['jobs'] },
        { ...rule, apiGroups: [''], resources: core },
        rule,
      ],
    },
    validations: [{ expression: 'object.nothing == 1' }],
  })) as { warning: string }[]
  const kinds = [...warnings[0]!.warning.matchAll(/Kind=(\w+)/g)].map(([, kind]) => kind)
  expect(kinds).toEqual([
    'ConfigMap',
    'Endpoints',
    'Event',
    'LimitRange',
    'Namespace',
    'Node',
    'PersistentVolume',
    'Pod',
    'Secret',
    'ServiceAccount',
    'Job',
  ])
})
