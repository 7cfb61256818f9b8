// MySQL's protocol against Debian's MariaDB.
import type { TestedServer } from '../../src/delivery/services/contract.ts'
import { testBackingService } from '../../src/delivery/services/contract.ts'
import { mysql } from '../../src/delivery/services/mysql/mysql.ts'
import { quoted, withSession } from '../../src/delivery/services/mysql/session.ts'
import { startMariadb } from '../../src/testing/service-servers.ts'

async function open(): Promise<TestedServer> {
  const server = await startMariadb()
  const asAdministrator = (sql: string, values: readonly unknown[] = []): Promise<object[]> =>
    withSession(server, server.administrator, undefined, session => session.query(sql, values))
  return {
    reached: server,
    close: () => server.close(),
    inventory: async () =>
      [
        ...(await asAdministrator('SELECT * FROM mysql.global_priv ORDER BY User, Host')),
        ...(await asAdministrator('SELECT * FROM mysql.db ORDER BY Db, User')),
        ...(await asAdministrator("SELECT * FROM information_schema.SCHEMATA WHERE SCHEMA_NAME <> 'sampan_owners'")),
        ...(await asAdministrator('SELECT * FROM sampan_owners.owned').catch(() => [])),
      ].map(row => JSON.stringify(row)),
    makeUser: async ({ user, password }) =>
      void (await asAdministrator("CREATE USER ?@'%' IDENTIFIED BY ?", [user, password])),
    makeDatabase: async database => void (await asAdministrator(`CREATE DATABASE ${quoted(database)}`)),
    write: ({ database, credentials }, key, value) =>
      withSession(server, credentials, database, async session => {
        await session.query('CREATE TABLE IF NOT EXISTS `Words` (name varchar(99) PRIMARY KEY, value longtext)')
        await session.query('REPLACE INTO `Words` VALUES (?, ?)', [key, value])
      }),
    read: ({ database, credentials }, key) =>
      withSession(
        server,
        credentials,
        database,
        async session =>
          (await session.first<{ value: string }>('SELECT value FROM `Words` WHERE name = ?', [key]))?.value,
      ),
  }
}

testBackingService(mysql, open, {
  foreignDatabaseNeedsGrant: true,
  oddNames: [
    { database: 'My_Shop%-7', credentials: { user: "O'Brien", password: '1' } },
    { database: 'se`lect.x', credentials: { user: 'MY "shop" \\', password: 'p' } },
    { database: 'größe', credentials: { user: 'user', password: 'π' } },
  ],
})
