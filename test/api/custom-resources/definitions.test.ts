// CustomResourceDefinitions themselves: what is refused, what their status says, how they go.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CustomResourceDefinition, JSONSchemaProps as Schema } from '../../../src/api/generated/models.ts'
import { customResourceDefinitions } from '../../../src/api/resources.ts'
import {
  change,
  definition,
  definitionsPath,
  established,
  install,
  uninstalled,
  version,
  type DefinitionOptions,
} from '../../../src/testing/custom-resources.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { startTestServer, type TestServer } from '../../../src/testing/in-process-server.ts'
import { MemoryStore } from '../../../src/store/memory-store.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const merge = { 'Content-Type': 'application/merge-patch+json' }
const conditionOf = ({ status }: CustomResourceDefinition, type: string): object | undefined => {
  const found = status.conditions?.find(condition => condition.type === type)
  return found && { status: found.status, reason: found.reason, message: found.message }
}

describe('a definition', () => {
  test('CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition creating/deleting custom resource definition objects works: accepted without a warning, and established by the server', async () => {
    const created = await server.call('POST', definitionsPath, {
      body: definition({ kind: 'Raft', names: { shortNames: ['rf'], categories: ['all'] } }),
    })
    expect(created.status, created.text).toBe(201)
    expect(created.headers.warning).toBeUndefined()
    const found = await established(server, 'rafts.example.com')
    expect(found.status.acceptedNames).toEqual({
      plural: 'rafts',
      singular: 'raft',
      kind: 'Raft',
      listKind: 'RaftList',
      shortNames: ['rf'],
      categories: ['all'],
    })
    expect(found.status.storedVersions).toEqual(['v1'])
    expect(conditionOf(found, 'NamesAccepted')).toEqual({
      status: 'True',
      reason: 'NoConflicts',
      message: 'no conflicts found',
    })
    expect(conditionOf(found, 'Established')).toEqual({
      status: 'True',
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
    })
    expect(found.metadata.generation).toBe(1)
    expect((await server.call('GET', '/apis/example.com/v1/rafts')).json).toMatchObject({ kind: 'RaftList', items: [] })
  })

  test('CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition listing custom resource definition objects works', async () => {
    for (const kind of ['Alpha', 'Beta']) {
      const body = definition({ kind, group: 'many.example.com' }) as { metadata: object }
      await install(server, { ...body, metadata: { ...body.metadata, labels: { many: 'yes' } } })
    }
    const listed = await server.call('GET', `${definitionsPath}?labelSelector=many%3Dyes`)
    expect(listed.json.items.map(({ metadata }: CustomResourceDefinition) => metadata.name)).toEqual([
      'alphas.many.example.com',
      'betas.many.example.com',
    ])
    expect((await server.call('DELETE', `${definitionsPath}?labelSelector=many%3Dyes`)).status).toBe(200)
    await uninstalled(server, 'alphas.many.example.com')
    await uninstalled(server, 'betas.many.example.com')
    expect((await server.call('GET', '/apis/many.example.com/v1')).status).toBe(404)
    expect((await server.call('GET', `${definitionsPath}/rafts.example.com`)).status).toBe(200)
  })

  test('CustomResourceDefinition resources [Privileged:ClusterAdmin] Simple CustomResourceDefinition getting/updating/patching custom resource definition status sub-resource works', async () => {
    await install(server, definition({ kind: 'Stated' }))
    const path = `${definitionsPath}/stateds.example.com/status`
    const condition = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from a test' }
    const current = (await server.call('GET', path)).json as CustomResourceDefinition
    const updated = await server.call('PUT', path, {
      body: { ...current, status: { ...current.status, conditions: [...current.status.conditions!, condition] } },
    })
    expect(updated.status, updated.text).toBe(200)
    expect(updated.json.status.conditions).toContainEqual(condition)
    const patched = await server.call('PATCH', path, {
      body: { metadata: { annotations: { patched: 'yes' } }, spec: { scope: 'Cluster' } },
      headers: merge,
    })
    expect(patched.json.metadata.annotations).toEqual({ patched: 'yes' })
    expect(patched.json.spec.scope).toBe('Namespaced')
  })

  test('gives up no name that another one of its group has', async () => {
    await install(server, definition({ kind: 'First', names: { shortNames: ['fi'] }, group: 'names.example.com' }))
    await server.call('POST', definitionsPath, {
      body: definition({
        kind: 'Second',
        names: { shortNames: ['fi'], kind: 'First', listKind: 'SecondList' },
        group: 'names.example.com',
      }),
    })
    const second = await eventually('the conflict is noted', async () => {
      const found = await server.local.get(customResourceDefinitions, { name: 'seconds.names.example.com' })
      return found.status.conditions !== undefined && found.status.conditions !== null && found
    })
    expect(conditionOf(second, 'NamesAccepted')).toEqual({
      status: 'False',
      reason: 'KindConflict',
      message: '"First" is already in use',
    })
    expect(conditionOf(second, 'Established')).toEqual({
      status: 'False',
      reason: 'NotAccepted',
      message: 'not all names are accepted',
    })
    expect((await server.call('GET', '/apis/names.example.com/v1/seconds')).status).toBe(404)
    await server.call('DELETE', `${definitionsPath}/firsts.names.example.com`)
    await established(server, 'seconds.names.example.com')
  })

  test('of a group of Kubernetes itself needs approval', async () => {
    const plain = await server.call('POST', definitionsPath, { body: definition({ group: 'boats.k8s.io' }) })
    expect(plain.json.details.causes).toEqual([
      {
        reason: 'FieldValueRequired',
        field: 'metadata.annotations[api-approved.kubernetes.io]',
        message:
          'Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      },
    ])
    const body = definition({ group: 'boats.k8s.io' }) as { metadata: object }
    const found = await install(server, {
      ...body,
      metadata: { ...body.metadata, annotations: { 'api-approved.kubernetes.io': 'unapproved, a test' } },
    })
    expect(conditionOf(found, 'KubernetesAPIApprovalPolicyConformant')).toEqual({
      status: 'False',
      reason: 'UnapprovedAnnotation',
      message: 'not approved: "unapproved, a test"',
    })
  })

  test('keeps group, plural, scope and kind', async () => {
    const answer = await change(server, 'rafts.example.com', { scope: 'Cluster' })
    expect(answer.json.message).toBe(
      'CustomResourceDefinition.apiextensions.k8s.io "rafts.example.com" is invalid: spec.scope: Invalid value: "Cluster": field is immutable',
    )
    expect((await change(server, 'rafts.example.com', { names: { kind: 'Float' } })).json.message).toContain(
      'spec.names.kind: Invalid value: "Float": field is immutable',
    )
  })
})

describe('a definition is refused', () => {
  const refused = async (options: DefinitionOptions): Promise<string[]> => {
    const answer = await server.call('POST', definitionsPath, { body: definition({ kind: 'Wrong', ...options }) })
    expect(answer.status, answer.text).toBe(422)
    return answer.json.details.causes.map(
      ({ field, message }: { field: string; message: string }) => `${field}: ${message}`,
    )
  }
  const schema = (spec: Schema, root: Schema = {}): Promise<string[]> =>
    refused({
      versions: [version(spec, { schema: { openAPIV3Schema: { type: 'object', properties: { spec }, ...root } } })],
    })
  const path = 'spec.validation.openAPIV3Schema'
  const at = `${path}.properties[spec]`

  test.each<[string, Schema, string[]]>([
    ['no type', {}, [`${at}.type: Required value: must not be empty for specified object fields`]],
    [
      'an unknown type',
      { type: 'text' },
      [
        `${at}.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      ],
    ],
    ['an array without items', { type: 'array' }, [`${at}.items: Required value: must be specified`]],
    [
      'items without a type',
      { type: 'array', items: {} },
      [`${at}.items.type: Required value: must not be empty for specified array items`],
    ],
    [
      'a type under anyOf',
      { type: 'object', anyOf: [{ type: 'object' }] },
      [`${at}.anyOf[0].type: Forbidden: must be empty to be structural`],
    ],
    [
      'a default under not',
      { type: 'object', not: { default: 1 } as Schema },
      [`${at}.not.default: Forbidden: must be undefined to be structural`],
    ],
    [
      'a pattern that is none',
      { type: 'string', pattern: 'a(' },
      [
        `${at}.pattern: Invalid value: "a(": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`a(\``,
      ],
    ],
    [
      'properties beside additionalProperties',
      { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } },
      [`${at}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
    ],
    [
      'unique items',
      { type: 'array', uniqueItems: true, items: { type: 'string' } },
      [
        `${at}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
      ],
    ],
    ['a reference', { type: 'object', $ref: 'x' }, [`${at}.$ref: Forbidden: $ref is not supported`]],
    [
      'a default of another type',
      { type: 'object', properties: { a: { type: 'integer', default: 'x' } } },
      [`${at}.properties[a].default: Invalid value: "string":  in body must be of type integer: "string"`],
    ],
    [
      'a default with unknown fields',
      { type: 'object', properties: { a: { type: 'object', default: { b: 1 } } } },
      [`${at}.properties[a].default: Invalid value: {"b":1}: must not have unknown fields`],
    ],
    [
      'a default that breaks its rules',
      {
        type: 'object',
        properties: {
          a: {
            type: 'integer',
            default: 3,
            'x-kubernetes-validations': [{ rule: 'self > 3' }, { rule: 'self < 5', message: 'small' }],
          },
        },
      },
      [`${at}.properties[a].default: Invalid value: "integer": failed rule: self > 3`],
    ],
    [
      'a default whose parts break their rules',
      {
        type: 'object',
        default: { a: [1, 0] },
        properties: {
          a: {
            type: 'array',
            items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 0', message: 'positive' }] },
          },
        },
      },
      [`${at}.default.a[1]: Invalid value: "integer": positive`],
    ],
    [
      'a default that may not be there first',
      {
        type: 'object',
        properties: {
          a: {
            type: 'string',
            default: 'on',
            'x-kubernetes-validations': [{ rule: 'oldSelf.hasValue()', optionalOldSelf: true, message: 'only later' }],
          },
        },
      },
      [`${at}.properties[a].default: Invalid value: "string": only later`],
    ],
    [
      'a default whose field is named by the rule',
      {
        type: 'object',
        default: { a: 1 },
        properties: { a: { type: 'integer' } },
        'x-kubernetes-validations': [
          {
            rule: 'self.a == 2',
            fieldPath: '.a',
            reason: 'FieldValueForbidden',
            messageExpression: '"a is " + string(self.a)',
          },
        ],
      },
      [`${at}.default.a: Forbidden: a is 1`],
    ],
    [
      'an embedded default without a kind',
      {
        type: 'object',
        properties: {
          a: {
            type: 'object',
            'x-kubernetes-embedded-resource': true,
            'x-kubernetes-preserve-unknown-fields': true,
            default: { apiVersion: 'v1' },
          },
        },
      },
      [`${at}.properties[a].default.kind: Required value`],
    ],
    [
      'an embedded default with a bad name',
      {
        type: 'object',
        properties: {
          a: {
            type: 'object',
            'x-kubernetes-embedded-resource': true,
            properties: { metadata: { type: 'object', properties: { name: { type: 'string', default: 'a/b' } } } },
            'x-kubernetes-preserve-unknown-fields': true,
          },
        },
      },
      [
        `${at}.properties[a].properties[metadata].properties[name].default: Invalid value: "a/b": must result in valid metadata: metadata.name: Invalid value: "a/b": may not contain '/'`,
      ],
    ],
    [
      'preserving nothing',
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
      [`${at}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`],
    ],
    [
      'a map list without keys',
      { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' },
      [`${at}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`],
    ],
    [
      'a key that may be missing',
      {
        type: 'array',
        items: { type: 'object', properties: { k: { type: 'string' } } },
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
      },
      [
        `${at}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      ],
    ],
    [
      'a list type that is none',
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'bag' },
      [`${at}.x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "map", "set"`],
    ],
    [
      'a set of granular maps',
      { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'set' },
      [
        `${at}.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
      ],
    ],
    [
      'an embedded object without anything',
      { type: 'object', 'x-kubernetes-embedded-resource': true },
      [
        `${at}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
      ],
    ],
    [
      'int-or-string that preserves',
      { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true },
      [
        `${at}.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true`,
      ],
    ],
  ])('for %s', async (_, spec, messages) => {
    const found = await schema(spec)
    expect(found).toEqual(expect.arrayContaining(messages))
  })

  test('but not for what stands below additionalProperties, or is a rule about changes', async () => {
    const parts: Schema[] = [
      { type: 'object', additionalProperties: { type: 'integer', default: 'x' } },
      { type: 'integer', default: 1, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
    ]
    for (const part of parts) {
      const answer = await server.call('POST', `${definitionsPath}?dryRun=All`, {
        body: definition({ kind: 'Right', versions: [version({ type: 'object', properties: { part } })] }),
      })
      expect(answer.status, answer.text).toBe(201)
    }
  })

  test('for a default kind that is none', async () => {
    expect(
      await schema({ type: 'object' }, { properties: { kind: { type: 'string', default: 'no kind' } } }),
    ).toContainEqual(
      expect.stringContaining(
        `${path}.properties[kind].default: Invalid value: "no kind": must result in valid metadata: kind: Invalid value: "no kind": may have mixed case, but should otherwise match: `,
      ),
    )
  })

  test('for a root that is no object, or restricts metadata', async () => {
    expect(await schema({ type: 'object' }, { type: 'string' })).toContain(
      `${path}.type: Invalid value: "string": must be object at the root`,
    )
    expect(
      await schema(
        { type: 'object' },
        { properties: { metadata: { type: 'object', properties: { labels: { type: 'object' } } } } },
      ),
    ).toContain(
      `${path}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
    )
    expect(await schema({ type: 'object' }, { additionalProperties: true })).toContain(
      `${path}.additionalProperties: Forbidden: must not be used at the root`,
    )
    expect(await schema({ type: 'object' }, { allOf: [{ properties: { other: { minimum: 1 } } }] })).toContain(
      `${path}.properties[other]: Required value: because it is defined in ${path}.allOf[0].properties[other]`,
    )
    expect(await schema({ type: 'object' }, { nullable: true })).toContain(
      `${path}.nullable: Forbidden: nullable cannot be true at the root`,
    )
  })

  test('for names, versions, columns and paths', async () => {
    expect(await refused({ names: { shortNames: ['UP'] } })).toEqual([
      expect.stringMatching(/^spec\.names\.shortNames\[0\]: Invalid value: "UP": a DNS-1035 label must consist/),
    ])
    expect(await refused({ names: { listKind: 'Wrong' } })).toEqual([
      'spec.names.listKind: Invalid value: "Wrong": kind and listKind may not be the same',
    ])
    expect(await refused({ versions: [version(), version()] })).toEqual([
      expect.stringContaining('must contain unique version names'),
      expect.stringContaining('must have exactly one version marked as storage version'),
    ])
    expect(
      await refused({
        versions: [version(undefined, { additionalPrinterColumns: [{ name: '', type: 'text', jsonPath: 'x' }] })],
      }),
    ).toEqual([
      'spec.additionalPrinterColumns[0].name: Required value',
      'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
      'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "x": must be a simple json path starting with .',
    ])
    expect(
      await refused({
        versions: [
          version(undefined, {
            subresources: { scale: { specReplicasPath: '.status.replicas', statusReplicasPath: '.spec.replicas' } },
          }),
        ],
      }),
    ).toEqual([
      'spec.subresources.scale.specReplicasPath: Invalid value: ".status.replicas": should be a json path under .spec',
      'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.replicas": should be a json path under .status',
    ])
    expect(
      await refused({
        versions: [
          version(
            { type: 'object', properties: { a: { type: 'object' } } },
            { selectableFields: [{ jsonPath: '.spec.a' }, { jsonPath: '.metadata.name' }, { jsonPath: '.spec.b' }] },
          ),
        ],
      }),
    ).toEqual([
      'spec.selectableFields[0].jsonPath: Invalid value: ".spec.a": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      'spec.selectableFields[1].jsonPath: Invalid value: ".metadata.name": must not point to fields in metadata',
      expect.stringContaining('spec.selectableFields[2].jsonPath: Invalid value: ".spec.b": is an invalid path'),
    ])
    expect(await refused({ versions: [version(undefined, { deprecationWarning: 'old' })] })).toEqual([
      'spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions',
    ])
    expect(
      await refused({ spec: { conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v9'] } } } }),
    ).toEqual([
      'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
      'spec.conversion.conversionReviewVersions: Invalid value: ["v9"]: must include at least one of v1, v1beta1',
    ])
    expect(await refused({ spec: { preserveUnknownFields: true } })).toEqual([
      expect.stringContaining('spec.preserveUnknownFields: Invalid value: true: cannot set to true'),
    ])
  })
})

describe('a definition that is deleted', () => {
  const boats = '/apis/gone.example.com/v1/namespaces/default/boats'

  test('takes its objects along and ends their watches', async () => {
    await install(server, definition({ group: 'gone.example.com' }))
    await server.call('POST', boats, { body: { metadata: { name: 'a' }, spec: {} } })
    const watched = server.call('GET', `${boats}?watch=true&resourceVersion=0`)
    const other = await server.call('POST', boats, {
      body: { metadata: { name: 'held', finalizers: ['example.com/hold'] }, spec: {} },
    })
    expect(other.status).toBe(201)
    const deleted = await server.call('DELETE', `${definitionsPath}/boats.gone.example.com`)
    expect(deleted.status).toBe(200)
    expect(deleted.json.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io'])
    expect(conditionOf(deleted.json, 'Terminating')).toEqual({
      status: 'True',
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    })
    const waiting = await eventually('deletion is in progress', async () => {
      const found = await server.local.get(customResourceDefinitions, { name: 'boats.gone.example.com' })
      return JSON.stringify(conditionOf(found, 'Terminating')).includes('InProgress') && found
    })
    expect(conditionOf(waiting, 'Terminating')).toEqual({
      status: 'True',
      reason: 'InstanceDeletionInProgress',
      message: 'CustomResource deletion is in progress',
    })
    const late = await server.call('POST', boats, { body: { metadata: { name: 'late' }, spec: {} } })
    expect([late.status, late.json.reason, late.json.message]).toEqual([
      405,
      'MethodNotAllowed',
      'create not allowed while custom resource definition is terminating',
    ])
    expect((await server.call('GET', '/apis/gone.example.com/v1')).json.resources[0].verbs).toEqual([
      'delete',
      'deletecollection',
      'get',
      'list',
      'watch',
    ])
    await eventually('a is gone', async () => (await server.call('GET', `${boats}/a`)).status === 404)
    expect(
      (await server.call('PATCH', `${boats}/held`, { body: { metadata: { finalizers: null } }, headers: merge }))
        .status,
    ).toBe(200)
    await uninstalled(server, 'boats.gone.example.com')
    expect((await watched).text).toContain('"type":"ADDED"')
    const after = await server.call('GET', boats)
    expect([after.status, after.text]).toEqual([404, '404 page not found\n'])
  })

  test('can come back at once', async () => {
    await install(server, definition({ group: 'gone.example.com' }))
    expect((await server.call('GET', boats)).json.items).toEqual([])
  })
})

test('definitions and objects are there again when the server answers after a restart', async () => {
  const store = new MemoryStore()
  const first = await startTestServer({
    store: Object.assign(Object.create(store) as MemoryStore, { close: async () => {} }),
  })
  await install(
    first,
    definition({
      kind: 'Lasting',
      versions: [version({ type: 'object', properties: { a: { type: 'string', default: 'x' } } })],
    }),
  )
  const path = '/apis/example.com/v1/namespaces/default/lastings'
  await first.call('POST', path, { body: { metadata: { name: 'a' }, spec: {} } })
  await first.close()
  const second = await startTestServer({ store })
  try {
    expect((await second.call('GET', `${path}/a`)).json.spec).toEqual({ a: 'x' })
  } finally {
    await second.close()
  }
})

test('there is an APIService for the group and version as long as there are kinds in it', async () => {
  const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1.services.example.com'
  for (const kind of ['One', 'Two']) await install(server, definition({ kind, group: 'services.example.com' }))
  const found = await eventually('the APIService is there', async () => {
    const answer = await server.call('GET', path)
    return answer.status === 200 && answer.json
  })
  expect(found.spec).toEqual({
    group: 'services.example.com',
    version: 'v1',
    groupPriorityMinimum: 1000,
    versionPriority: 100,
  })
  expect(found.status.conditions[0]).toMatchObject({ type: 'Available', status: 'True', reason: 'Local' })
  await server.call('DELETE', `${definitionsPath}/ones.services.example.com`)
  await uninstalled(server, 'ones.services.example.com')
  expect((await server.call('GET', path)).status).toBe(200)
  await server.call('DELETE', `${definitionsPath}/twos.services.example.com`)
  await eventually('the APIService is gone', async () => (await server.call('GET', path)).status === 404)
})

test('a kind of the program itself cannot be taken over', async () => {
  const body = definition({ group: 'networking.k8s.io', kind: 'Ingress', names: { plural: 'ingresses' } }) as {
    metadata: object
  }
  await server.call('POST', definitionsPath, {
    body: {
      ...body,
      metadata: { name: 'ingresses.networking.k8s.io', annotations: { 'api-approved.kubernetes.io': 'unapproved' } },
    },
  })
  await established(server, 'ingresses.networking.k8s.io')
  const refused = await server.call('POST', '/apis/networking.k8s.io/v1/namespaces/default/ingresses', {
    body: { metadata: { name: 'x' }, spec: {} },
  })
  expect(refused.status).toBe(422)
  await server.call('DELETE', `${definitionsPath}/ingresses.networking.k8s.io`)
  await uninstalled(server, 'ingresses.networking.k8s.io')
  expect((await server.call('GET', '/apis/networking.k8s.io/v1/namespaces/default/ingresses')).status).toBe(200)
})
