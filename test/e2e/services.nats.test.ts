// Against Debian's NATS, which makes no users: what is to be ensured is that it lets in.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nats } from '../../src/delivery/services/nats/nats.ts'
import { startNats, type ServiceServer } from '../../src/testing/service-servers.ts'

let server: ServiceServer
beforeAll(async () => {
  server = await startNats()
})
afterAll(() => server.close())

const wanted = (): Parameters<typeof nats.ensure>[1] => ({
  database: 'shop',
  credentials: server.administrator,
  owner: 'test/shop',
})

test('lets the service in, and there is nothing to make or to drop', async () => {
  expect(await nats.ensure(server, wanted())).toEqual([])
  expect(await nats.drop(server, wanted())).toEqual([])
})

test('a wrong password and a server that is not there are told', async () => {
  const administrator = { user: 'sampan', password: 'wrong-secret' }
  await expect(nats.ensure({ ...server, administrator }, wanted())).rejects.toThrow(
    /^NATS at 127\.0\.0\.1:\d+: refuses the administrator "sampan" \((?!.*wrong-secret)/,
  )
  await expect(nats.ensure({ ...server, port: 1 }, wanted())).rejects.toThrow(
    /^NATS at 127\.0\.0\.1:1: does not answer/,
  )
})
