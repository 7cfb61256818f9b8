// A connection to MongoDB, with times that end.
import type { Db, MongoClient } from 'mongodb'
import type { Credentials, Reached } from '../backing-service.ts'
import { addressOf, commandMs, connectMs, tlsOf, type Dialect } from '../server-access.ts'

const badCredentials = new Set([18, 11])
const notAllowed = new Set([13, 8000])

export const dialect: Dialect = {
  title: 'MongoDB',
  rights: 'needs the roles userAdminAnyDatabase and dbAdminAnyDatabase, or root',
  troubleOf(error) {
    const { name, code, cause } = error as Error & { code?: number }
    if (code !== undefined && badCredentials.has(code)) return 'credentials'
    if (code !== undefined && notAllowed.has(code)) return 'rights'
    // What lies below says more.
    if (
      /^Mongo(?:Network|ServerSelection|NetworkTimeout|PoolCleared|PoolClosed)/.test(name) &&
      !(cause instanceof Error)
    )
      return 'unreachable'
    return undefined
  },
}

export interface Session {
  readonly client: MongoClient
  readonly database: Db
}

/** @param authSource database of which the user is one */
export async function withSession<T>(
  server: Reached,
  { user, password }: Credentials,
  authSource: string,
  database: string,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { MongoClient } = await import('mongodb')
  const tls = tlsOf(server)
  const client = new MongoClient(`mongodb://${addressOf(server)}/`, {
    auth: { username: user, password },
    authSource,
    directConnection: true,
    appName: 'sampan',
    maxPoolSize: 1,
    retryReads: false,
    retryWrites: false,
    connectTimeoutMS: connectMs,
    serverSelectionTimeoutMS: 2000,
    socketTimeoutMS: commandMs,
    ...(tls !== undefined && { tls: true, ...(tls as object) }),
  })
  // Each failure comes to whoever asked, too.
  client.on('error', () => {})
  try {
    await client.connect()
    return await use({ client, database: client.db(database) })
  } finally {
    await client.close(true)
  }
}
