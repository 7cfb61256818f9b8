// Patches of every type on objects of the kinds with the most structure: whatever they say, the answer is one
// that a client can understand, and the object is as valid as before.
import { afterAll, beforeAll, test } from 'vitest'
import { allKinds } from '../../src/api/kinds/all.ts'
import { parseYaml } from '../../src/api/parse-yaml.ts'
import { modelOf } from '../../src/api/schema/schema.ts'
import { decodeBody } from '../../src/server/http/body.ts'
import { patch } from '../../src/server/operations/patch.ts'
import type { Caller } from '../../src/server/request.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { fuzz, isAnswered, type Chance } from './cases.ts'
import { anything, mutate, objectOfKind, text } from './generate.ts'

const container = {
  name: 'c',
  image: 'x:1',
  ports: [{ containerPort: 80, protocol: 'TCP' }],
  env: [{ name: 'A', value: '1' }],
}
const template = {
  metadata: { labels: { a: 'b' } },
  spec: { containers: [container], volumes: [{ name: 'v', emptyDir: {} }] },
}
const subjects: Readonly<Record<string, object>> = {
  pods: template,
  deployments: { spec: { selector: { matchLabels: { a: 'b' } }, template } },
  services: { spec: { ports: [{ name: 'http', port: 80 }], selector: { a: 'b' } } },
  configmaps: { data: { a: 'b' } },
  ingresses: {
    spec: {
      rules: [
        {
          host: 'a.example.com',
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }],
          },
        },
      ],
    },
  },
  networkpolicies: { spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } },
  serviceaccounts: { secrets: [{ name: 's' }] },
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.call('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } })
  for (const kind of kinds) {
    const { group, version, plural } = kind.resource
    const answer = await server.call(
      'POST',
      `/${group === '' ? 'api' : `apis/${group}`}/${version}/namespaces/default/${plural}`,
      { body: { ...subjects[plural], metadata: { name: 'fuzz', labels: { a: 'b' }, finalizers: ['example.com/f'] } } },
    )
    if (answer.status !== 201) throw new Error(answer.text)
  }
})
afterAll(() => server.close())

const kinds = allKinds.filter(
  ({ resource: { plural, version, group } }) =>
    subjects[plural] !== undefined && version === 'v1' && group !== 'events.k8s.io',
)
const caller = (chance: Chance): Caller => ({
  user: { username: 'fuzz', groups: ['system:masters'] },
  fieldManager: chance.pick(['fuzz', 'other', 'x'.repeat(200)]),
  fieldValidation: chance.pick(['Strict', 'Warn', 'Ignore']),
  dryRun: true,
  warnings: [],
})

const steps = [
  'metadata',
  'labels',
  'spec',
  'template',
  'containers',
  '0',
  '-',
  '1',
  '-1',
  '00',
  '01',
  '1e9',
  'ports',
  'a',
  '~0',
  '~1',
  '~2',
  'data',
  '',
  '__proto__',
  'constructor',
  'prototype',
  'length',
  '4294967295',
]
const pointer = (chance: Chance): string =>
  chance.isOneIn(20) ? text(chance) : Array.from({ length: chance.number(6) }, () => `/${chance.pick(steps)}`).join('')
const operation = (chance: Chance): unknown => {
  if (chance.isOneIn(20)) return anything(chance)
  const op = chance.pick(['add', 'remove', 'replace', 'move', 'copy', 'test', 'add', 'none'])
  return {
    op,
    path: pointer(chance),
    ...(!chance.isOneIn(5) && { value: anything(chance) }),
    ...(chance.isOneIn(3) && { from: pointer(chance) }),
  }
}

const directives = [
  { $patch: 'delete' },
  { $patch: 'replace' },
  { $patch: 'merge' },
  { $patch: 'x' },
  { $retainKeys: ['name'] },
  { $retainKeys: 1 },
  { '$deleteFromPrimitiveList/finalizers': ['example.com/f'] },
  { '$deleteFromPrimitiveList/finalizers': 1 },
  { '$setElementOrder/containers': [{ name: 'c' }] },
  { '$setElementOrder/containers': [1, null] },
  { '$setElementOrder/nothing': {} },
  { $patch: null },
]

/** Sprinkles directives over the objects of a document. */
function directed(value: unknown, chance: Chance): unknown {
  if (Array.isArray(value))
    return [...value.map(item => directed(item, chance)), ...(chance.isOneIn(4) ? [chance.pick(directives)] : [])]
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [key, directed(item, chance)])
  return { ...Object.fromEntries(entries), ...(chance.isOneIn(4) && chance.pick(directives)) }
}

test(
  'any patch',
  () =>
    fuzz('patches', 0.3, async chance => {
      const kind = chance.pick(kinds)
      const type = chance.pick(['json', 'merge', 'strategic', 'apply'] as const)
      const whole = modelOf(kind.model).fields.size > 0 ? objectOfKind(kind, chance) : {}
      const base = chance.isOneIn(2)
        ? whole
        : {
            ...structuredClone(subjects[kind.resource.plural]),
            apiVersion: whole['apiVersion'],
            kind: whole['kind'],
            metadata: { name: 'fuzz', namespace: 'default' },
          }
      let document: unknown =
        type === 'json'
          ? Array.from({ length: chance.number(5) }, () => operation(chance))
          : type === 'strategic'
            ? directed(base, chance)
            : base
      for (let count = chance.number(3); count > 0; count--) document = mutate(document, chance)
      const who = caller(chance)
      const bytes = Buffer.from(JSON.stringify(document) ?? '')
      await isAnswered(async () => {
        const { value } =
          type === 'apply'
            ? parseYaml(bytes.toString(), { duplicates: true })
            : decodeBody(bytes, 'application/json', kind.model, who.fieldValidation)
        await patch(server.server.context, { kind, namespace: 'default', name: 'fuzz' }, type, value, who, {
          force: chance.isOneIn(2),
          problems: [],
        })
      })
    }),
  280_000,
)
