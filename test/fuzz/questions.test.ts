// Selectors, lists with odd options, definitions of custom resources with rules and patterns, and objects of
// them: in process.
import { afterAll, beforeAll, test } from 'vitest'
import { allKinds } from '../../src/api/kinds/all.ts'
import { kindsOfDefinition } from '../../src/api/custom-resources/kinds-of-definition.ts'
import { decodeObject } from '../../src/api/decode.ts'
import type { CustomResourceDefinition } from '../../src/api/generated/models.ts'
import { customResourceDefinitionKind } from '../../src/api/kinds/custom-resource-definition.ts'
import { serviceAccounts } from '../../src/api/resources.ts'
import { list } from '../../src/server/operations/list.ts'
import { compileFilter } from '../../src/server/operations/object-filter.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { fuzz, isAnswered, type Chance } from './cases.ts'
import { anything, mutate, text } from './generate.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await customResourceDefinitionKind.load!()
  for (const name of ['a', 'b', 'c'])
    await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name, labels: { a: name } } })
})
afterAll(() => server.close())

const pieces = [
  'a',
  'b',
  'app.kubernetes.io/name',
  '=',
  '==',
  '!=',
  '!',
  ',',
  '(',
  ')',
  'in',
  'notin',
  'exists',
  '<',
  '>',
  ' ',
  '\t',
  '1',
  'metadata.name',
  'spec.nodeName',
  'status.phase',
  '\\',
  '\\,',
  '"',
]
const selector = (chance: Chance): string =>
  Array.from({ length: chance.number(12) }, () => (chance.isOneIn(8) ? text(chance) : chance.pick(pieces))).join('')
const listed = allKinds.filter(kind => kind.stored !== false)
const token = (chance: Chance): string =>
  Buffer.from(
    JSON.stringify(
      mutate({ v: 'meta.k8s.io/v1', rv: chance.pick([-1, 0, 1, 10, 2 ** 53]), start: text(chance) }, chance),
    ) ?? '',
  ).toString('base64url')

test(
  'any selector and any list',
  () =>
    fuzz('selectors', 0.12, async chance => {
      const kind = chance.pick(listed)
      await isAnswered(async () => {
        const filter = compileFilter(kind, selector(chance), chance.isOneIn(2) ? selector(chance) : undefined)
        await list(server.server.context, kind, {
          namespace: chance.pick(['default', undefined, text(chance)]),
          filter,
          limit: chance.number(4),
          continueToken: chance.pick([undefined, undefined, token(chance), text(chance)]),
          resourceVersion: chance.pick([undefined, '0', '1', '', '99999999999999999999', text(chance)]),
          resourceVersionMatch: chance.pick([undefined, 'Exact', 'NotOlderThan', text(chance)]),
        })
      })
    }),
  120_000,
)

const rules = [
  'self.a > 1',
  'self.all(x, x)',
  'oldSelf == self',
  'has(self.a) && self.a.matches("(a+)+$")',
  'self.x.map(y, y * 2).sum() > 0',
  'true',
  'self',
  '1 +',
  '',
  'size(self) < 5',
]
function schema(chance: Chance, depth: number): unknown {
  const type = chance.pick(['object', 'object', 'array', 'string', 'integer', 'number', 'boolean'])
  return {
    type,
    ...(depth > 0 &&
      type === 'object' && {
        properties: Object.fromEntries(
          Array.from({ length: chance.number(4) }, () => [text(chance), schema(chance, depth - 1)]),
        ),
      }),
    ...(depth > 0 && type === 'array' && { items: schema(chance, depth - 1) }),
    ...(chance.isOneIn(4) && { pattern: text(chance) }),
    ...(chance.isOneIn(4) && { 'x-kubernetes-validations': [{ rule: chance.pick(rules), message: text(chance) }] }),
    ...(chance.isOneIn(5) && { default: anything(chance, 2) }),
    ...(chance.isOneIn(6) && { enum: [anything(chance, 1)] }),
    ...(chance.isOneIn(6) && { format: text(chance) }),
  }
}

test(
  'any definition, and any object of it',
  () =>
    fuzz('definitions', 0.05, async chance => {
      const openAPIV3Schema = { type: 'object', properties: { spec: schema(chance, 3) } }
      let given: unknown = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'boats.example.com' },
        spec: {
          group: 'example.com',
          scope: 'Namespaced',
          names: { plural: 'boats', kind: 'Boat' },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
        },
      }
      if (chance.isOneIn(2)) given = mutate(given, chance)
      await isAnswered(async () => {
        const draft = decodeObject('V1CustomResourceDefinition', given).object as unknown as CustomResourceDefinition
        draft.metadata ??= {} as never
        customResourceDefinitionKind.defaults!(draft)
        if (customResourceDefinitionKind.validate!(draft).length > 0) return
        draft.status = { acceptedNames: draft.spec.names, storedVersions: ['v1'] }
        const [kind] = kindsOfDefinition(draft)
        if (kind === undefined) return
        await kind.load?.()
        const object = kind.custom!.decode({
          apiVersion: 'example.com/v1',
          kind: 'Boat',
          metadata: { name: 'b' },
          spec: anything(chance, 4),
        }).object
        kind.defaults?.(object as never)
        kind.validate?.(object as never)
      })
    }),
  120_000,
)
