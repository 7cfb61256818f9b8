// Where Kubernetes answers with bare text instead of a Status: paths that no part of it has claimed. Groups of
// its own answer with a Status, custom resources are as if they were not there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resource } from '../../src/api/resource.ts'
import { definition, install } from '../../src/testing/custom-resources.ts'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await install(server, definition())
})
afterAll(() => server.close())

const boats = '/apis/example.com/v1/namespaces/default/boats'

test('an address may be long: selectors name many values', async () => {
  const names = Array.from({ length: 5000 }, (_none, index) => `name-${index}`).join(',')
  const answer = await server.call('GET', `/api/v1/pods?labelSelector=${encodeURIComponent(`app in (${names})`)}`)
  expect(answer.json).toMatchObject({ kind: 'PodList', items: [] })
})

describe('what is not there', () => {
  test.each([
    '/nowhere',
    '/apis/none.example.com',
    '/apis/none.example.com/v1',
    '/apis/none.example.com/v1/things',
    '/apis/example.com/v9',
    '/apis/example.com/v9/boats',
    '/apis/example.com/v1/ships',
    '/apis/example.com/v1/boats/one',
  ])('%s is text', async path => {
    const answer = await server.call('GET', path)
    expect(answer).toMatchObject({ status: 404, text: '404 page not found\n' })
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache, private',
    })
  })

  test.each([
    '/api/v9',
    '/api/v1/things',
    '/apis/apps/v9',
    '/apis/apps/v9/deployments',
    '/apis/apps/v1/things',
    '/api/v1/namespaces/default/pods/p/none',
    '/api/v1/pods/p',
    '/api/v1/namespaces/default/nodes',
  ])('%s is a Status', async path => {
    expect((await server.call('GET', path)).json).toMatchObject({
      kind: 'Status',
      code: 404,
      reason: 'NotFound',
      message: 'the server could not find the requested resource',
      details: {},
    })
  })

  test('a subresource that a custom resource does not have counts as the object', async () => {
    expect((await server.call('GET', `${boats}/one/oars`)).json).toMatchObject({
      code: 404,
      message: 'boats.example.com "one" not found',
      details: { name: 'one', group: 'example.com', kind: 'boats' },
    })
  })

  test('our own client understands both', async () => {
    for (const plural of ['ships', 'boats']) {
      const wanted = resource('example.com', 'v1', plural, 'Boat')
      await expect(server.remote.get(wanted, { namespace: 'default', name: 'one' })).rejects.toMatchObject({
        code: 404,
        reason: 'NotFound',
      })
    }
  })
})
