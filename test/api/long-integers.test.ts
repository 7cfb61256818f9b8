// Whole numbers that numbers of JavaScript would round, on every way into the server, through it and out of it.
// Answers are compared as text: parsing them would round.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ControllerRevision, Job, Pod } from '../../src/api/generated/models.ts'
import { encodeProtobuf } from '../../src/api/protobuf/envelope.ts'
import { controllerRevisions, pods } from '../../src/api/resources.ts'
import { compareInt64 } from '../../src/lib/int64.ts'
import { definition, install, version } from '../../src/testing/custom-resources.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { freshNamespace } from '../../src/testing/fresh-namespace.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'
import { startTestCluster } from '../../src/testing/test-cluster.ts'

const long = '9007199254740993'
const longer = '9223372036854775807'
const type = (name: string): { headers: Record<string, string> } => ({ headers: { 'Content-Type': name } })
const merge = type('application/merge-patch+json')
const apply = type('application/apply-patch+yaml')

let server: TestServer
let namespace = ''
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())
beforeEach(async () => {
  namespace = await freshNamespace(server)
})

const expectIn = ({ status, text }: Answer, part: string): void => {
  expect(status, text).toBeLessThan(300)
  expect(text).toContain(part)
}

describe('a field of 64 bits', () => {
  const path = (): string => `/apis/apps/v1/namespaces/${namespace}/controllerrevisions`
  const body = (revision: string, name = 'r'): string =>
    `{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"${name}"},"data":{"a":${long}},"revision":${revision}}`

  test('comes back as it was created, alone, in lists and tables and to watchers', async () => {
    expectIn(await server.call('POST', path(), { body: body(long) }), `"data":{"a":${long}},"revision":${long}`)
    expectIn(await server.call('GET', `${path()}/r`), `"data":{"a":${long}},"revision":${long}`)
    expectIn(await server.call('GET', path()), `"data":{"a":${long}},"revision":${long}`)
    expectIn(await server.call('GET', `${path()}?watch=true&timeoutSeconds=1&resourceVersion=0`), `"revision":${long}`)
    const table = { headers: { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } }
    expectIn(await server.call('GET', path(), table), `"cells":["r","<none>",${long},`)
  })

  test('comes as YAML, too', async () => {
    const yaml = `apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: r}\ndata: {a: 0o17, b: -1, c: 1_000}\nrevision: ${longer}\n`
    expectIn(await server.call('POST', path(), { body: yaml, ...type('application/yaml') }), `"revision":${longer}`)
  })

  test('comes and goes as protobuf', async () => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'r' },
      data: { a: BigInt(long) },
      revision: BigInt(longer),
    }
    const sent = {
      body: encodeProtobuf('V1ControllerRevision', object),
      ...type('application/vnd.kubernetes.protobuf'),
    }
    expectIn(await server.call('POST', path(), sent), '')
    expectIn(await server.call('GET', `${path()}/r`), `"data":{"a":${long}},"revision":${longer}`)
  })

  test('is patched in each way', async () => {
    await server.call('POST', path(), { body: body('1') })
    const patch = (patched: string, how: string): Promise<Answer> =>
      server.call('PATCH', `${path()}/r`, { body: patched, ...type(how) })
    expectIn(await patch(`{"revision":${long}}`, 'application/merge-patch+json'), `"revision":${long}`)
    expectIn(await patch(`{"revision":${longer}}`, 'application/strategic-merge-patch+json'), `"revision":${longer}`)
    const operations = `[{"op":"test","path":"/revision","value":${longer}},{"op":"replace","path":"/revision","value":${long}}]`
    expectIn(await patch(operations, 'application/json-patch+json'), `"revision":${long}`)
    expect(
      (await patch('[{"op":"test","path":"/revision","value":9007199254740992}]', 'application/json-patch+json'))
        .status,
    ).toBe(422)
  })

  test('is applied: the same number is no change, its neighbour is a conflict', async () => {
    const applied = (revision: string, manager: string): Promise<Answer> =>
      server.call('PATCH', `${path()}/r?fieldManager=${manager}`, { body: body(revision), ...apply })
    const first = await applied(long, 'a')
    expectIn(first, `"revision":${long}`)
    expect((await applied(long, 'a')).json.metadata.resourceVersion).toBe(first.json.metadata.resourceVersion)
    expect((await applied(long, 'b')).status).toBe(200)
    expect((await applied('9007199254740994', 'b')).json.message).toMatch(/conflict with "a": .revision$/)
  })

  test('too large for 64 bits is refused', async () => {
    const { status, json } = await server.call('POST', path(), { body: body('9223372036854775808') })
    expect([status, json.message]).toEqual([
      400,
      expect.stringMatching(
        /cannot unmarshal number \d+ into Go struct field ControllerRevision.revision of type int64/,
      ),
    ])
  })

  test('control loops of another process see it', async () => {
    await server.call('POST', path(), { body: body(long) })
    const found = await server.remote.get(controllerRevisions, { namespace, name: 'r' })
    expect(found.revision).toBe(BigInt(long))
    expect((await server.remote.update(controllerRevisions, { ...found, revision: BigInt(longer) })).revision).toBe(
      BigInt(longer),
    )
  })
})

test('the history of a set goes on from a revision of any size', async () => {
  const cluster = await startTestCluster()
  try {
    const labels = { app: 's' }
    const made = (image: string): object => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 's' },
      spec: {
        serviceName: 's',
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } },
      },
    })
    const applied = (image: string): Promise<Answer> =>
      cluster.server.call('PATCH', '/apis/apps/v1/namespaces/default/statefulsets/s?fieldManager=t', {
        body: made(image),
        ...apply,
      })
    const revisions = (count: number): Promise<ControllerRevision[]> =>
      eventually(`${count} revisions`, async () => {
        const { items } = await cluster.client.list<ControllerRevision>(controllerRevisions, { namespace: 'default' })
        return items.length === count && items
      })
    await applied('i:1')
    const [first] = await revisions(1)
    await cluster.client.update(controllerRevisions, { ...first!, revision: BigInt(long) })
    await applied('i:2')
    expect((await revisions(2)).map(({ revision }) => revision).toSorted(compareInt64)).toEqual([
      BigInt(long),
      BigInt(long) + 1n,
    ])
  } finally {
    await cluster.stop()
  }
})

describe('a time without end, as people write it', () => {
  const pod = `{"metadata":{"name":"p"},"spec":{"terminationGracePeriodSeconds":${longer},"nodeName":"n","tolerations":[{"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":${longer}}],"containers":[{"name":"c","image":"i"}]}}`
  const path = (): string => `/api/v1/namespaces/${namespace}/pods`

  test('stays a number that clients can read', async () => {
    const created = await server.call('POST', path(), { body: pod })
    expectIn(created, `"tolerationSeconds":${longer}`)
    expectIn(created, `"terminationGracePeriodSeconds":${longer}`)
  })

  test('does not keep a pod from being deleted', async () => {
    await server.call('POST', path(), { body: pod })
    const deleted = await server.call('DELETE', `${path()}/p`)
    expectIn(deleted, '"deletionTimestamp":"9999-12-31T23:59:59Z"')
    expect((await server.call('DELETE', `${path()}/p?gracePeriodSeconds=0`)).status).toBe(200)
    expect(await server.local.list<Pod>(pods, { namespace })).toMatchObject({ items: [] })
  })

  test('of a job is no reason for a refusal', async () => {
    const job = `{"metadata":{"name":"j"},"spec":{"activeDeadlineSeconds":${longer},"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}`
    const created = await server.call('POST', `/apis/batch/v1/namespaces/${namespace}/jobs`, { body: job })
    expectIn(created, `"activeDeadlineSeconds":${longer}`)
    expect((created.json as Job).spec.template.spec!.containers).toHaveLength(1)
  })
})

describe('a whole number of a custom resource', () => {
  const path = (): string => `/apis/example.com/v1/namespaces/${namespace}/boats`
  const body = (spec: string, name = 'b'): string =>
    `{"apiVersion":"example.com/v1","kind":"Boat","metadata":{"name":"${name}"},"spec":${spec}}`
  const create = (spec: string, name?: string): Promise<Answer> =>
    server.call('POST', path(), { body: body(spec, name) })

  beforeAll(async () => {
    const integer = { type: 'integer', format: 'int64' }
    await install(
      server,
      definition({
        versions: [
          version(
            {
              type: 'object',
              properties: {
                number: { ...integer, 'x-kubernetes-validations': [{ rule: `self != ${long}8`, message: 'not that' }] },
                usual: { ...integer, default: BigInt(longer) },
                choice: { ...integer, enum: [BigInt(long)] },
                ratio: { type: 'number' },
                items: {
                  type: 'array',
                  'x-kubernetes-list-type': 'map',
                  'x-kubernetes-list-map-keys': ['id'],
                  items: { type: 'object', required: ['id'], properties: { id: integer, text: { type: 'string' } } },
                },
                told: {
                  ...integer,
                  'x-kubernetes-validations': [{ rule: 'self < 5', messageExpression: '"got %d".format([self])' }],
                },
              },
              'x-kubernetes-validations': [
                {
                  rule: '!has(self.number) || !has(self.choice) || self.number - self.choice != 1',
                  message: 'neighbours',
                },
              ],
            },
            {
              additionalPrinterColumns: [
                { name: 'Number', type: 'integer', jsonPath: '.spec.number' },
                { name: 'Text', type: 'string', jsonPath: '.spec.number' },
              ],
            },
          ),
        ],
      }),
    )
  })

  test('is kept, and so is one that a default brings', async () => {
    expectIn(await create(`{"number":${long},"ratio":${long}}`), `"number":${long},"ratio":${long},"usual":${longer}`)
    expectIn(await server.call('GET', `${path()}/b`), `"number":${long},`)
    expectIn(await server.call('GET', path()), `"usual":${longer}`)
    const table = { headers: { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } }
    expectIn(await server.call('GET', path(), table), `"cells":["b",${long},"${long}"]`)
  })

  test('rules count with all of its digits', async () => {
    expect((await create(`{"number":${long}8}`)).json.message).toMatch(/spec.number: Invalid value: .*: not that$/)
    expectIn(await create(`{"number":${long}7}`), `"number":${long}7`)
    expect((await create(`{"number":9007199254740994,"choice":${long}}`, 'c')).json.message).toMatch(/neighbours$/)
    expectIn(await create(`{"number":9007199254740995,"choice":${long}}`, 'd'), `"choice":${long}`)
    expect((await create(`{"told":${long}}`, 'e')).json.message).toMatch(`got ${long}`)
  })

  test('is compared with what a schema allows', async () => {
    const { status, json } = await create('{"choice":9007199254740992}')
    expect([status, json.details.causes[0].message]).toEqual([
      422,
      `Unsupported value: 9007199254740992: supported values: "${long}"`,
    ])
  })

  test('is a key of a list', async () => {
    const items = `[{"id":${long},"text":"a"},{"id":9007199254740992,"text":"b"}]`
    expectIn(await create(`{"items":${items}}`), items)
    const applied = (text: string, id = long): Promise<Answer> =>
      server.call('PATCH', `${path()}/b?fieldManager=mine&force=true`, {
        body: body(`{"items":[{"id":${id},"text":"${text}"}]}`),
        ...apply,
      })
    expectIn(await applied('c'), `[{"id":${long},"text":"c"},{"id":9007199254740992,"text":"b"}]`)
    const again = await applied('c')
    expectIn(again, String.raw`k:{\"id\":${long}}`)
    expect((await create(`{"items":[{"id":${long}},{"id":${long}}]}`, 'twice')).json.message).toContain(
      `spec.items[1]: Duplicate value: {"id":${long}}`,
    )
  })

  test('is seen by a watcher when it changes by one', async () => {
    await create(`{"number":${long}}`)
    const changed = await server.call('PATCH', `${path()}/b`, {
      body: '{"spec":{"number":9007199254740992}}',
      ...merge,
    })
    expectIn(changed, '"number":9007199254740992')
    expect(changed.json.metadata.generation).toBe(2)
    await eventually('the change is told', async () => {
      const { text } = await server.call('GET', `${path()}?watch=true&timeoutSeconds=1&resourceVersion=0`)
      return text.includes('"number":9007199254740992')
    })
  })
})
