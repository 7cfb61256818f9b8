// MongoDB: a user of a database who owns it. Databases are made by writing to them; so the user's own data, stored in
// the same command that makes him, says for whom he was made, and whether something was in the database before.
import type { BackingService, Granted, Reached, Wanted } from '../backing-service.ts'
import { checkVersion, codeOf, foreignUser, isLetIn, reaching, usedAsItIs } from '../server-access.ts'
import { replaceDatabase, writeDatabase } from './copy-database.ts'
import { dialect, withSession, type Session } from './session.ts'

/** The oldest that the library speaks to. */
const oldest = '4.2'
const userExists = '51003'

export const mongo: BackingService = {
  type: 'mongo',
  title: dialect.title,
  port: { name: 'mongo', port: 27_017, protocol: 'TCP' },
  credentials: 'own',
  administrator: 'root',

  managed: ({ image = 'mongo:8' }) => ({
    process: { image, command: [], security: { root: false, user: 999, capabilities: [], readOnlyRoot: false } },
    variables: {
      MONGO_INITDB_ROOT_USERNAME: { credential: 'user' },
      MONGO_INITDB_ROOT_PASSWORD: { credential: 'password' },
    },
    storagePath: '/data/db',
    health: { kind: 'command', command: ['mongosh', '--quiet', '--eval', 'db.hello().isWritablePrimary || quit(1)'] },
    stopSeconds: 60,
  }),

  variables: ({ host, port, database, credentials: { user, password }, secure }: Granted) => {
    const name = encodeURIComponent(database)
    const url = `mongodb://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${name}?authSource=${name}${secure ? '&tls=true' : ''}`
    return { MONGODB_URI: url, MONGO_URL: url, MONGODB_DATABASE: database }
  },

  ensure: (server, wanted, tell = () => {}) =>
    asAdministrator(server, wanted, async session => {
      const { database, credentials } = wanted
      const { user, password } = credentials
      const found = await findUser(session, user)
      if (found === undefined) {
        const isEmpty = (await session.database.listCollections().toArray()).length === 0
        if (!isEmpty) tell(usedAsItIs(`database ${database}`))
        const customData: CustomData = { sampanOwner: wanted.owner, ownsDatabase: isEmpty }
        const roles = [{ role: 'dbOwner', db: database }]
        return (await createdUser(session, { createUser: user, pwd: password, roles, customData }))
          ? [`user ${user}`]
          : []
      }
      const isCurrent = await isLetIn(dialect, () =>
        withSession(server, credentials, database, database, async () => {}),
      )
      if (found.customData?.sampanOwner !== wanted.owner) {
        if (!isCurrent) throw foreignUser(dialect, server, user)
        tell(usedAsItIs(`user ${user}`))
        return []
      }
      if (isCurrent) return []
      await session.database.command({ updateUser: user, pwd: password })
      return [`password of user ${user}`]
    }),

  exists: (server, wanted) =>
    asAdministrator(server, wanted, async session => (await findUser(session, wanted.credentials.user)) !== undefined),

  drop: (server, wanted) =>
    asAdministrator(server, wanted, async session => {
      const { user } = wanted.credentials
      const found = await findUser(session, user)
      if (found?.customData?.sampanOwner !== wanted.owner) return []
      if (found.customData.ownsDatabase) await session.database.dropDatabase()
      await session.database.command({ dropUser: user })
      return [...(found.customData.ownsDatabase ? [`database ${wanted.database}`] : []), `user ${user}`]
    }),

  backup: (server, wanted, to) => asAdministrator(server, wanted, ({ database }) => writeDatabase(database, to)),

  restore: (server, wanted, from) => asAdministrator(server, wanted, ({ database }) => replaceDatabase(database, from)),
}

interface CustomData {
  readonly sampanOwner: string
  readonly ownsDatabase: boolean
}

function asAdministrator<T>(server: Reached, wanted: Wanted, use: (session: Session) => Promise<T>): Promise<T> {
  return reaching(dialect, server, wanted, () =>
    withSession(server, server.administrator, 'admin', wanted.database, async session => {
      const { version } = (await session.client.db('admin').command({ buildInfo: 1 })) as unknown as { version: string }
      checkVersion(dialect, server, version, oldest)
      return use(session)
    }),
  )
}

async function findUser({ database }: Session, user: string): Promise<{ customData?: CustomData } | undefined> {
  const { users } = (await database.command({ usersInfo: user })) as unknown as { users: { customData?: CustomData }[] }
  return users[0]
}

/** @returns false when somebody else was quicker, who does the same */
async function createdUser({ database }: Session, command: Record<string, unknown>): Promise<boolean> {
  try {
    await database.command(command)
    return true
  } catch (error) {
    if (codeOf(error) === userExists) return false
    throw error
  }
}
