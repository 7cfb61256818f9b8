// Against a server in memory: Debian has none.
import { BSON } from 'mongodb'
import { startMongoDouble } from '../../../testing/mongo-double.ts'
import type { Wanted } from '../backing-service.ts'
import { testBackingService, type TestedServer } from '../contract.ts'
import { mongo } from './mongo.ts'
import { withSession, type Session } from './session.ts'

async function open(): Promise<TestedServer> {
  const server = await startMongoDouble()
  const asService = <T>({ credentials, database }: Wanted, use: (session: Session) => Promise<T>): Promise<T> =>
    withSession(server, credentials, database, database, use)
  const words = ({ database }: Session): ReturnType<typeof database.collection<{ _id: string; value: string }>> =>
    database.collection('words')
  return {
    reached: server,
    close: () => server.close(),
    inventory: async () => [
      ...server.users.values().map(user => BSON.EJSON.stringify(user)),
      ...server.databases.entries().map(([name, collections]) => BSON.EJSON.stringify({ name, all: [...collections] })),
    ],
    // Users are those of a database.
    makeUser: async ({ user, password }) => void server.users.set(`${user} ${user}`, { user, db: user, password }),
    makeDatabase: async name => void server.databases.set(name, new Map([['old', [{ _id: '1' }]]])),
    write: (wanted, key, value) =>
      asService(
        wanted,
        async session => void (await words(session).replaceOne({ _id: key }, { value }, { upsert: true })),
      ),
    read: (wanted, key) => asService(wanted, async session => (await words(session).findOne({ _id: key }))?.value),
  }
}

testBackingService(mongo, open, {
  writingMakesDatabase: true,
  oddNames: [
    { database: 'My-Shop', credentials: { user: 'MY "shop", a=b', password: '1' } },
    { database: 'größe', credentials: { user: "o'brien@x/y", password: 'p:@/' } },
  ],
})
