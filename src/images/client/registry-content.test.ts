import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RegistryClient } from './registry-client.ts'
import { RegistryContent } from './registry-content.ts'

let server: Server
let asked: string[]
let content: RegistryContent
/** Lists of two pages, for those who log in. */
beforeEach(async () => {
  asked = []
  server = createServer(({ url = '', headers: { authorization } }, answer) => {
    if (authorization !== `Basic ${btoa('me:secret')}`)
      return answer.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()
    asked.push(url)
    const isLast = url.includes('last=')
    const list = {
      repositories: [isLast ? 'b' : 'a'],
      tags: [isLast ? '2' : '1'],
      manifests: [{ digest: isLast ? 'y' : 'x' }],
    }
    if (!isLast) answer.setHeader('link', `<${url}?last=a>; rel="next"`)
    answer.end(JSON.stringify(list))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = { credentials: async () => ({ username: 'me', password: 'secret' }) }
  content = new RegistryContent(address, name => new RegistryClient(address, name, options), options)
})
afterEach(() => {
  content.close()
  server.close()
})

test('a registry that wants a login lists all pages of what it has', async () => {
  expect(await content.repositories()).toEqual(['a', 'b'])
  expect(await content.at('team/web').tags()).toEqual(['1', '2'])
  expect(await content.at('team/web').referrers('sha256:1')).toEqual([{ digest: 'x' }, { digest: 'y' }])
  expect(asked).toEqual([
    '/v2/_catalog',
    '/v2/_catalog?last=a',
    '/v2/team/web/tags/list',
    '/v2/team/web/tags/list?last=a',
    '/v2/team/web/referrers/sha256:1',
    '/v2/team/web/referrers/sha256:1?last=a',
  ])
})
