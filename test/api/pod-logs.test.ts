// What of a log request reaches the agent of the node.
import { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { pods, serviceAccounts } from '../../src/api/resources.ts'
import type { LogOptions, NodeStreams } from '../../src/streams/node-streams.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
let asked: LogOptions[] = []
const agent = {
  logs: async (_target: unknown, options: LogOptions) => {
    asked.push(options)
    return Readable.from(['line\n'])
  },
} as unknown as NodeStreams

beforeAll(async () => {
  server = await startTestServer({ findNodeStreams: () => agent })
  await server.local.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } })
  await server.local.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'x:1' }] },
  })
})
afterAll(() => server.close())
beforeEach(() => {
  asked = []
})
const logs = (query: string): Promise<Answer> => server.call('GET', `/api/v1/namespaces/default/pods/p/log?${query}`)

test.each(['Stdout', 'Stderr'])('only %s', async stream => {
  expect((await logs(`stream=${stream}`)).text).toBe('line\n')
  expect(asked).toMatchObject([{ stream }])
})

test('all streams are what one gets without asking; the certificate of the backend does not matter', async () => {
  expect((await logs('stream=All&tailLines=1&insecureSkipTLSVerifyBackend=true')).status).toBe(200)
  expect((await logs('')).status).toBe(200)
  expect(asked.map(options => options.stream ?? 'All')).toEqual(['All', 'All'])
})

test('a stream that is none, and the last lines of one of them, are refused', async () => {
  const none = await logs('stream=stdout')
  expect(none.status).toBe(422)
  expect(none.json.message).toBe(
    'PodLogOptions "p" is invalid: stream: Unsupported value: "stdout": supported values: "All", "Stderr", "Stdout"',
  )
  const both = await logs('stream=Stderr&tailLines=3')
  expect(both.status).toBe(422)
  expect(both.json.message).toContain('Forbidden: `tailLines` and specific `stream` are mutually exclusive for now')
  expect(asked).toEqual([])
})

test.each<[string, number, string]>([
  [
    'tailLines=-1',
    422,
    'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
  ],
  ['limitBytes=0', 422, 'PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
  ['sinceSeconds=0', 422, 'PodLogOptions "p" is invalid: sinceSeconds: Invalid value: 0: must be greater than 0'],
  [
    'sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z',
    422,
    'PodLogOptions "p" is invalid: : Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
  ],
  ['tailLines=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
])('%s is refused', async (query, status, message) => {
  const answer = await logs(query)
  expect([answer.status, answer.json.message]).toEqual([status, message])
})
