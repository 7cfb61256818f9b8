// Versions that a webhook converts between: what it is asked, and what becomes of its mistakes.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../src/api/object.ts'
import { resource } from '../../../src/api/resource.ts'
import { change, definition, install, version } from '../../../src/testing/custom-resources.ts'
import { startTestServer, type Answer, type TestServer } from '../../../src/testing/in-process-server.ts'
import { startWebhookServer, type WebhookServer } from '../../../src/testing/webhook-server.ts'

interface Review {
  request: {
    uid: string
    desiredAPIVersion: string
    objects: (KubeObject & { hostPort?: string; host?: string; port?: string })[]
  }
}

let server: TestServer
let webhook: WebhookServer
const asked: Review['request'][] = []
let spoil: (response: Record<string, unknown>) => void = () => {}

/** v1 has `hostPort: "a:1"`, v2 has `host: a` and `port: "1"`. */
function convert({ request }: Review): unknown {
  asked.push(request)
  const convertedObjects = request.objects.map(({ hostPort, host, port, ...rest }) => {
    const [newHost, newPort] = (hostPort ?? '').split(':')
    return {
      ...rest,
      apiVersion: request.desiredAPIVersion,
      ...(request.desiredAPIVersion.endsWith('v1')
        ? { hostPort: `${host}:${port}` }
        : { host: newHost, port: newPort }),
    }
  })
  const response: Record<string, unknown> = { uid: request.uid, result: { status: 'Success' }, convertedObjects }
  spoil(response)
  return { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response }
}

const text = { type: 'string' }
const schemaOf = (...fields: string[]): object => ({
  openAPIV3Schema: { type: 'object', properties: Object.fromEntries(fields.map(field => [field, text])) },
})
const v1 = (storage: boolean): object => ({ ...version(), name: 'v1', storage, schema: schemaOf('hostPort') })
const v2 = (storage: boolean): object => ({ ...version(), name: 'v2', storage, schema: schemaOf('host', 'port') })
const path = (name: string): string => `/apis/convert.example.com/${name}/namespaces/default/addresses`
const create = (name: string, body: object): Promise<Answer> => server.call('POST', path(name), { body })

beforeAll(async () => {
  server = await startTestServer()
  const { serving, authority } = server.keys
  webhook = await startWebhookServer(serving, ({ body }) => convert(JSON.parse(body) as Review))
  const clientConfig = {
    url: `https://127.0.0.1:${webhook.port}/convert`,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
  }
  const conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } }
  await install(
    server,
    definition({
      group: 'convert.example.com',
      kind: 'Address',
      names: { plural: 'addresses' },
      versions: [v1(true), v2(false)],
      spec: { conversion },
    }),
  )
})
afterAll(() => Promise.all([server.close(), webhook.close()]))
beforeEach(() => {
  asked.length = 0
  spoil = () => {}
})

/** What a watch in v1 shows of an object until it is deleted. */
async function eventsOf(name: string, resourceVersion: string): Promise<[string, string][]> {
  const events: [string, string][] = []
  const addresses = resource<KubeObject & { hostPort: string }>('convert.example.com', 'v1', 'addresses', 'Address')
  for await (const { type, object } of server.remote.watch(addresses, {
    namespace: 'default',
    fieldSelector: `metadata.name=${name}`,
    resourceVersion,
  })) {
    if (type === 'BOOKMARK') continue
    events.push([type, object.hostPort])
    if (type === 'DELETED') break
  }
  return events
}

describe('CustomResourceConversionWebhook', () => {
  test('CustomResourceConversionWebhook should be able to convert from CR v1 to CR v2', async () => {
    await create('v1', { metadata: { name: 'a' }, hostPort: 'one:1' })
    expect(asked).toEqual([])
    const found = (await server.call('GET', `${path('v2')}/a`)).json
    expect(found).toMatchObject({ apiVersion: 'convert.example.com/v2', host: 'one', port: '1' })
    expect(found.hostPort).toBeUndefined()
    expect(asked).toHaveLength(1)
    await server.call('GET', `${path('v2')}/a`)
    await server.call('GET', path('v2'))
    expect(asked, 'each stored state is converted once').toHaveLength(1)
  })

  test('CustomResourceConversionWebhook should be able to convert a non homogeneous list of CRs', async () => {
    await change(server, 'addresses.convert.example.com', { versions: [v1(false), v2(true)] })
    const created = await create('v2', { metadata: { name: 'b' }, host: 'two', port: '2' })
    expect(created.status, created.text).toBe(201)
    const fields = async (name: string): Promise<object[]> =>
      (await server.call('GET', path(name))).json.items.map(
        ({ metadata: _metadata, kind: _kind, ...rest }: Record<string, unknown>) => rest,
      )
    expect(await fields('v2')).toEqual([
      { apiVersion: 'convert.example.com/v2', host: 'one', port: '1' },
      { apiVersion: 'convert.example.com/v2', host: 'two', port: '2' },
    ])
    expect(await fields('v1')).toEqual([
      { apiVersion: 'convert.example.com/v1', hostPort: 'one:1' },
      { apiVersion: 'convert.example.com/v1', hostPort: 'two:2' },
    ])
  })

  test('converts what is written, and what watches see', async () => {
    const watched = eventsOf('c', (await server.call('GET', path('v2'))).json.metadata.resourceVersion as string)
    const created = await create('v1', { metadata: { name: 'c' }, hostPort: 'three:3' })
    expect(created.json).toMatchObject({ apiVersion: 'convert.example.com/v1', hostPort: 'three:3' })
    const patched = await server.call('PATCH', `${path('v1')}/c`, {
      body: { hostPort: 'four:4' },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
    expect(patched.json).toMatchObject({ hostPort: 'four:4' })
    expect((await server.call('GET', `${path('v2')}/c`)).json).toMatchObject({ host: 'four', port: '4' })
    expect((await server.call('DELETE', `${path('v1')}/c`)).status).toBe(200)
    expect(await watched).toEqual([
      ['ADDED', 'three:3'],
      ['MODIFIED', 'four:4'],
      ['DELETED', 'four:4'],
    ])
  })

  test.each<[string, (response: Record<string, unknown>) => void, string]>([
    [
      'refuses',
      response => {
        response.result = { status: 'Failure', message: 'cannot' }
      },
      'conversion webhook for convert.example.com/v2, Kind=Address failed: cannot',
    ],
    [
      'fails without a word',
      response => {
        response.result = { status: 'Failure' }
      },
      "failed: response.result.status was 'Failure', not 'Success'",
    ],
    [
      'answers something else',
      response => {
        response.uid = 'x'
      },
      'got "x"',
    ],
    [
      'loses an object',
      response => {
        response.convertedObjects = []
      },
      'conversion webhook for convert.example.com/v2, Kind=Address returned 0 objects, expected 1',
    ],
    [
      'gives another version',
      response => {
        ;(response.convertedObjects as KubeObject[])[0]!.apiVersion = 'other/v1'
      },
      'returned invalid converted object at index 0: invalid groupVersion (expected convert.example.com/v1, received other/v1)',
    ],
    [
      'renames',
      response => {
        ;(response.convertedObjects as KubeObject[])[0]!.metadata = { name: 'other' } as never
      },
      'invalid metadata (expected name',
    ],
  ])('a webhook that %s', async (what, spoiled, message) => {
    const name = what.replaceAll(' ', '-')
    await create('v2', { metadata: { name }, host: 'x', port: '1' })
    spoil = spoiled
    const answer = await server.call('GET', `${path('v1')}/${name}`)
    expect([answer.status, answer.json.message]).toEqual([500, expect.stringContaining(message)])
    spoil = () => {}
    expect((await server.call('GET', `${path('v1')}/${name}`)).json.hostPort).toBe('x:1')
  })
})
