// Against Debian's Redis.
import { testBackingService, type TestedServer } from '../../src/delivery/services/contract.ts'
import { redis } from '../../src/delivery/services/redis/redis.ts'
import { withSession } from '../../src/delivery/services/redis/session.ts'
import { startRedis } from '../../src/testing/service-servers.ts'

async function open(): Promise<TestedServer> {
  const server = await startRedis()
  const asAdministrator = (...command: string[]): Promise<unknown> =>
    withSession(server, server.administrator, session => session.sendCommand(command))
  return {
    reached: server,
    close: () => server.close(),
    inventory: async () => [
      ...((await asAdministrator('ACL', 'LIST')) as string[]),
      ...((await asAdministrator('KEYS', '*')) as string[]).sort(),
    ],
    makeUser: async ({ user, password }) =>
      void (await asAdministrator('ACL', 'SETUSER', user, 'on', `>${password}`, '~*', '&*', '+@all')),
    write: ({ database, credentials }, key, value) =>
      withSession(server, credentials, async session => void (await session.set(`${database}:${key}`, value))),
    read: ({ database, credentials }, key) =>
      withSession(server, credentials, async session => (await session.get(`${database}:${key}`)) ?? undefined),
    makeDatabase: async database => void (await asAdministrator('SET', `${database}:old`, 'x')),
  }
}

testBackingService(redis, open, {
  writingMakesDatabase: true,
  oddNames: [
    { database: 'My-Shop*', credentials: { user: 'MY"shop"', password: '1' } },
    { database: '[a]?\\', credentials: { user: "o'brien", password: 'p' } },
    { database: 'größe', credentials: { user: 'user', password: 'π' } },
  ],
})
