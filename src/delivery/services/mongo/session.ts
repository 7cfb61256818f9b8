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
  const { MongoClient } = await import('./library.ts')
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
    serverSelectionTimeoutMS: connectMs,
    socketTimeoutMS: commandMs,
    ...(tls !== undefined && { tls: true, ...(tls as object) }),
  })
  // The library would go on trying for as long as a connection may take.
  const failed = new Promise<never>((_resolve, reject) => {
    client.once('serverHeartbeatFailed', ({ failure }) => reject(failure))
  })
  async function work(): Promise<T> {
    await client.connect()
    return use({ client, database: client.db(database) })
  }
  try {
    return await Promise.race([work(), failed])
  } finally {
    await client.close(true)
  }
}
