// A connection to PostgreSQL, with times that end.
import type { Client, QueryResultRow } from 'pg'
import type { Credentials, Reached } from '../backing-service.ts'
import { codeOf, commandMs, connectMs, tlsOf, type Dialect } from '../server-access.ts'

export const dialect: Dialect = {
  title: 'PostgreSQL',
  rights: 'needs to make users and databases: ALTER ROLE ... CREATEROLE CREATEDB',
  troubleOf(error) {
    const code = codeOf(error)
    if (code === '28P01' || code === '28000') return 'credentials'
    if (code === '42501') return 'rights'
    // Starting, stopping, too many connections; the library's own words have no code.
    if (/^(?:57P0[1-3]|53300|08)/.test(code)) return 'unreachable'
    const { message } = error as Error
    if (/^(?:Connection terminated|timeout expired|Query read timeout)/.test(message)) return 'unreachable'
    return /does not support SSL/.test(message) ? 'certificate' : undefined
  },
}

export class Session {
  private readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  async query<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(text, [...values])).rows
  }

  async first<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row | undefined> {
    return (await this.query<Row>(text, values))[0]
  }

  /** All or nothing. */
  async atOnce(statements: readonly string[]): Promise<void> {
    await this.query('BEGIN')
    for (const statement of statements) await this.query(statement)
    await this.query('COMMIT')
  }

  name(text: string): string {
    return this.client.escapeIdentifier(text)
  }

  literal(text: string): string {
    return this.client.escapeLiteral(text)
  }
}

export async function withSession<T>(
  server: Reached,
  { user, password }: Credentials,
  database: string,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { Client } = await import('pg')
  const { host, port } = server
  const client = new Client({
    host,
    port,
    user,
    password,
    database,
    ssl: tlsOf(server) ?? false,
    application_name: 'sampan',
    connectionTimeoutMillis: connectMs,
    query_timeout: commandMs,
    statement_timeout: commandMs,
  })
  // A connection that breaks fails the query that goes on, too.
  client.on('error', () => {})
  try {
    await client.connect()
    return await use(new Session(client))
  } finally {
    await client.end().catch(() => {})
  }
}
