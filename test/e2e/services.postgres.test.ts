// Against Debian's PostgreSQL.
import { testBackingService, type TestedServer } from '../../src/delivery/services/contract.ts'
import { startPostgres } from '../../src/testing/service-servers.ts'
import { postgres } from '../../src/delivery/services/postgres/postgres.ts'
import { withSession } from '../../src/delivery/services/postgres/session.ts'

async function open(): Promise<TestedServer> {
  const server = await startPostgres()
  const asAdministrator = (
    statement: (name: (text: string) => string, text: (text: string) => string) => string,
  ): Promise<unknown[]> =>
    withSession(server, server.administrator, 'postgres', session =>
      session.query(
        statement(
          text => session.name(text),
          text => session.literal(text),
        ),
      ),
    )
  return {
    reached: server,
    close: () => server.close(),
    inventory: async () =>
      (
        await asAdministrator(
          () => `SELECT 'user', rolname, shobj_description(oid, 'pg_authid') AS mark, rolpassword, '' AS acl FROM pg_authid
            UNION SELECT 'database', datname, shobj_description(oid, 'pg_database'), datdba::text, datacl::text FROM pg_database ORDER BY 1, 2`,
        )
      ).map(row => JSON.stringify(row)),
    makeUser: async ({ user, password }) =>
      void (await asAdministrator((name, text) => `CREATE ROLE ${name(user)} LOGIN PASSWORD ${text(password)}`)),
    makeDatabase: async database => void (await asAdministrator(name => `CREATE DATABASE ${name(database)}`)),
    write: async ({ database, credentials }, key, value) =>
      withSession(server, credentials, database, async session => {
        await session.query('CREATE TABLE IF NOT EXISTS "Words" (key text PRIMARY KEY, value text)')
        await session.query(
          'INSERT INTO "Words" VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
          [key, value],
        )
      }),
    read: ({ database, credentials }, key) =>
      withSession(
        server,
        credentials,
        database,
        async session =>
          (await session.first<{ value: string }>('SELECT value FROM "Words" WHERE key = $1', [key]))?.value,
      ),
  }
}

testBackingService(postgres, open, {
  oddNames: [
    { database: 'My-Shop.test 7', credentials: { user: 'MY "shop"', password: '1' } },
    { database: 'select', credentials: { user: "o'brien; DROP TABLE x", password: 'p' } },
    { database: 'größe', credentials: { user: 'user', password: 'π' } },
  ],
})
