// The headers that every answer has, whoever gives it.
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const headersOf = (path: string, options: RequestOptions = {}, known = true): Promise<IncomingHttpHeaders> =>
  new Promise((resolve, reject) => {
    const { keys, port } = server
    httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        ca: keys.authority.certificate,
        ...(known && { cert: keys.admin.certificate, key: keys.admin.key }),
        agent: false,
        ...options,
      },
      response => {
        resolve(response.headers)
        response.destroy()
      },
    )
      .on('error', reject)
      .end()
  })

const pods = '/api/v1/namespaces/default/pods'
test.each<[string, string, RequestOptions?, boolean?]>([
  ['an object', '/api/v1/namespaces/default'],
  ['a list', pods],
  ['a watch', `${pods}?watch=true`],
  ['what is not there', `${pods}/none`],
  ['nobody known', pods, { headers: { Authorization: 'Bearer wrong' } }, false],
  ['bare text', '/nowhere'],
  ['health', '/livez'],
  ['the version', '/version'],
  ['metrics', '/metrics'],
  ['discovery', '/apis'],
  ['OpenAPI', '/openapi/v3'],
  ['a log', `${pods}/none/log`],
  ['a refused upgrade', `${pods}/none/exec`, { headers: { Connection: 'Upgrade', Upgrade: 'websocket' } }],
])('%s', async (_what, path, options, known) => {
  const headers = await headersOf(path, options, known)
  expect(headers['audit-id']).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  expect(headers['cache-control']).toBe('no-cache, private')
  expect(Date.parse(headers['date']!)).not.toBeNaN()
  expect(headers['content-type']).toBeDefined()
})

test('the client may name its request; others have names of their own', async () => {
  const name = 'my-request-'.repeat(20)
  expect((await headersOf(pods, { headers: { 'Audit-Id': name } }))['audit-id']).toBe(name)
  expect((await headersOf(pods, { headers: { 'Audit-Id': '' } }))['audit-id']).not.toBe(
    (await headersOf(pods))['audit-id'],
  )
})

test('keys for tokens may be kept by whoever asks', async () => {
  expect((await headersOf('/openid/v1/jwks'))['cache-control']).toBe('public, max-age=3600')
})

test('who had to wait where is told of requests that are let in', async () => {
  expect(await headersOf(pods)).toMatchObject({
    'x-kubernetes-pf-flowschema-uid': expect.stringMatching(/-/) as string,
    'x-kubernetes-pf-prioritylevel-uid': expect.stringMatching(/-/) as string,
  })
})
