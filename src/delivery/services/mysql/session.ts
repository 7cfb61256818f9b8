// A connection to MySQL or MariaDB, with times that end.
import { connect, isIP } from 'node:net'
import { checkServerIdentity, type TLSSocket } from 'node:tls'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import type { Credentials, Reached } from '../backing-service.ts'
import { codeOf, commandMs, connectMs, type Dialect } from '../server-access.ts'

const troubles: Readonly<Record<string, ReturnType<Dialect['troubleOf']>>> = {
  ER_ACCESS_DENIED_ERROR: 'credentials',
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'credentials',
  ER_ACCOUNT_HAS_BEEN_LOCKED: 'credentials',
  ER_DBACCESS_DENIED_ERROR: 'rights',
  ER_SPECIFIC_ACCESS_DENIED_ERROR: 'rights',
  ER_TABLEACCESS_DENIED_ERROR: 'rights',
  ER_COLUMNACCESS_DENIED_ERROR: 'rights',
  ER_CON_COUNT_ERROR: 'unreachable',
  ER_SERVER_SHUTDOWN: 'unreachable',
  PROTOCOL_CONNECTION_LOST: 'unreachable',
  PROTOCOL_SEQUENCE_TIMEOUT: 'unreachable',
  HANDSHAKE_NO_SSL_SUPPORT: 'certificate',
  HANDSHAKE_SSL_ERROR: 'certificate',
}

export const dialect: Dialect = {
  title: 'MySQL',
  rights: 'needs to make users and databases: GRANT ALL ON *.* TO ... WITH GRANT OPTION',
  troubleOf: error => (/in closed state/.test((error as Error).message) ? 'unreachable' : troubles[codeOf(error)]),
}

export class Session {
  private readonly connection: Connection

  constructor(connection: Connection) {
    this.connection = connection
  }

  async query<Row = object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const [rows] = await this.connection.query<RowDataPacket[]>({ sql, values: [...values], timeout: commandMs })
    return rows as Row[]
  }

  async first<Row = object>(sql: string, values?: readonly unknown[]): Promise<Row | undefined> {
    return (await this.query<Row>(sql, values))[0]
  }

  literal(text: string): string {
    return this.connection.escape(text)
  }
}

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``

export async function withSession<T>(
  server: Reached,
  { user, password }: Credentials,
  database: string | undefined,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { createConnection } = await import('./library.ts')
  const { host, port, certificateName = host } = server
  const connection = await createConnection({
    // The library takes it for the name in the certificate as well.
    host: certificateName,
    port,
    stream: () => connect(port, host),
    user,
    password,
    database,
    ...(server.authority !== undefined && {
      ssl: { ca: server.authority, verifyIdentity: isIP(certificateName) === 0 },
    }),
    charset: 'utf8mb4',
    connectTimeout: connectMs,
  })
  // A connection that breaks fails the query that goes on, too.
  connection.on('error', () => {})
  try {
    if (server.authority !== undefined) checkIdentity(connection, certificateName)
    const session = new Session(connection)
    // What is quoted here is read as it was meant, whatever the server's default is.
    await session.query("SET SESSION sql_mode = 'STRICT_TRANS_TABLES'")
    return await use(session)
  } finally {
    connection.destroy()
  }
}

/** The library checks names, but not addresses. @throws the error that Node.js has for it */
function checkIdentity(connection: Connection, name: string): void {
  const { stream } = (connection as unknown as { connection: { stream: TLSSocket } }).connection
  const problem = checkServerIdentity(name, stream.getPeerCertificate())
  if (problem !== undefined) throw problem
}
