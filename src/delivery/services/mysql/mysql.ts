// MySQL and MariaDB: a user that comes in from everywhere, and a database on which it has all rights. Nothing of this
// can be taken back by the server, so each step is found again: ownership.ts.
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { BackingService, Credentials, Granted, Reached, RunTool, Tool, Wanted } from '../backing-service.ts'
import { between } from '../between.ts'
import { machineTool, withAuthorityFile } from '../machine-tool.ts'
import { checkVersion, failure, foreignFailure, foreignUser, isLetIn, reaching, usedAsItIs } from '../server-access.ts'
import { wholeDump, type DumpMarks } from '../whole-dump.ts'
import { dropOurs, ensureOurs, prepare, type Thing } from './ownership.ts'
import { dialect, quoted, withSession, type Session } from './session.ts'
import { spareOf, swapScript } from './swap-databases.ts'

const port = 3306
const longestDatabase = 64
/** MySQL's; MariaDB takes longer ones. */
const longestUser = 32
/** One at a time makes or drops on a server. */
const lock = 'sampan'
const lockSeconds = 25

export const mysql: BackingService = {
  type: 'mysql',
  title: dialect.title,
  port: { name: 'mysql', port, protocol: 'TCP' },
  credentials: 'own',
  administrator: 'root',

  managed: ({ image = 'mysql:8.4' }) => ({
    process: { image, command: [], security: { root: false, user: 999, capabilities: [], readOnlyRoot: false } },
    // MariaDB's image knows it by this name, too.
    variables: { MYSQL_ROOT_PASSWORD: { credential: 'password' } },
    storagePath: '/var/lib/mysql',
    health: {
      kind: 'command',
      // Over the network: while it is made, the server listens to nobody else. MariaDB has a name of its own for it.
      command: [
        'sh',
        '-c',
        'exec "$(command -v mariadb-admin || command -v mysqladmin)" ping --protocol=tcp --host=127.0.0.1 --silent',
      ],
    },
    stopSeconds: 60,
  }),

  variables: ({ host, port, database, credentials: { user, password }, secure }: Granted) => {
    const url = `mysql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}${secure ? '?ssl-mode=REQUIRED' : ''}`
    return {
      MYSQL_URL: url,
      MYSQL_HOST: host,
      MYSQL_PORT: String(port),
      MYSQL_DATABASE: database,
      MYSQL_USER: user,
      MYSQL_PASSWORD: password,
      DATABASE_URL: url,
    }
  },

  ensure: (server, wanted, tell = () => {}) =>
    asAdministrator(server, wanted, async session => {
      await prepare(session)
      const { database, credentials, owner } = wanted
      const made: string[] = []
      const user = await ensureOurs(session, userOf(session, wanted), owner)
      const letIn = user === 'made' || (await canEnter(server, wanted))
      if (user === undefined && !letIn) throw foreignUser(dialect, server, credentials.user)
      if (user === undefined) tell(usedAsItIs(`user ${credentials.user}`))
      else if (user === 'made') made.push(`user ${credentials.user}`)
      // Also where a password was changed between a kill and now.
      if (user !== undefined && !(await canEnter(server, wanted))) {
        await session.query(
          `ALTER USER ${account(session, wanted)} IDENTIFIED BY ${session.literal(credentials.password)}`,
        )
        if (user === 'there') made.push(`password of user ${credentials.user}`)
      }
      const found = await ensureOurs(session, databaseOf(session, wanted), owner)
      if (found === 'made') made.push(`database ${database}`)
      if (found === undefined) {
        tell(usedAsItIs(`database ${database}`))
        await checkUse(server, wanted)
      } else if (!(await hasGrant(session, wanted))) {
        await session.query(`GRANT ALL ON ${await pattern(session, database)}.* TO ${account(session, wanted)}`)
        made.push(`rights of user ${credentials.user} on database ${database}`)
      }
      return made
    }),

  exists: (server, wanted) => asAdministrator(server, wanted, session => databaseOf(session, wanted).exists()),

  drop: (server, wanted) =>
    asAdministrator(server, wanted, async session => {
      const dropped: string[] = []
      if (await dropOurs(session, databaseOf(session, wanted), wanted.owner))
        dropped.push(`database ${wanted.database}`)
      if (await dropOurs(session, userOf(session, wanted), wanted.owner))
        dropped.push(`user ${wanted.credentials.user}`)
      return dropped
    }),

  usesTools: true,

  backup: (server, wanted, to, runTool = machineTool) =>
    withAuthorityFile(server, file => {
      const tool = toolOf(['mariadb-dump', 'mysqldump'], server, wanted.credentials, file)
      const options = ['--single-transaction', '--routines', '--triggers', '--events', '--hex-blob', '--no-tablespaces']
      // Of MySQL's program alone.
      const loose = ['--loose-set-gtid-purged=OFF', '--loose-column-statistics=0']
      return runTool({ ...tool, arguments: [...tool.arguments, ...options, ...loose, wanted.database], output: to })
    }),

  restore: async (server, wanted, from, runTool = machineTool) => {
    const dump = await wholeDump(from, marks)
    const spare = spareOf(wanted.database)
    const say = (text: string): Readable => Readable.from([Buffer.from(text)])
    return withAuthorityFile(server, async file => {
      const client = toolOf(['mariadb', 'mysql'], server, wanted.credentials, file)
      const administrator = toolOf(client.programs, server, server.administrator, file)
      const account = await accountOf(client, runTool)
      await runTool({
        ...administrator,
        input: say(`DROP DATABASE IF EXISTS ${quoted(spare)};\nGRANT ALL ON ${quoted(spare)}.* TO ${account};\n`),
      })
      const first = `CREATE DATABASE ${quoted(spare)} CHARACTER SET utf8mb4;\nUSE ${quoted(spare)};\n`
      await runTool({ ...client, input: Readable.from(between(first, dump)) })
      const goal = quoted(wanted.database).slice(1, -1)
      await runTool({
        ...client,
        programs: ['sh'],
        arguments: ['-c', swapScript, 'sh', spare, goal, ...client.arguments],
        // It has all of it, so that it goes on when nobody is there any more.
        input: say(''),
      })
      await runTool({ ...administrator, input: say(`REVOKE ALL ON ${quoted(spare)}.* FROM ${account};\n`) })
    })
  },
}

const marks: DumpMarks = {
  title: dialect.title,
  // MariaDB's has a line for its client in front.
  begins: /^(?:\/\*.*\n)?-- (?:MariaDB|MySQL) dump /,
  ends: /\n-- Dump completed\b/,
}

/** As the server knows whoever logs in: one that Sampan did not make may come from some machines only. */
async function accountOf(client: Tool, runTool: RunTool): Promise<string> {
  const output = new PassThrough()
  const [said] = await Promise.all([
    text(output),
    runTool({
      ...client,
      arguments: [...client.arguments, '--batch', '--raw', '--skip-column-names'],
      input: Readable.from([Buffer.from('SELECT CURRENT_USER();\n')]),
      output,
    }),
  ])
  const account = said.trim()
  const at = account.lastIndexOf('@')
  return [account.slice(0, at), account.slice(at + 1)].map(quoted).join('@')
}

function asAdministrator<T>(server: Reached, wanted: Wanted, use: (session: Session) => Promise<T>): Promise<T> {
  return reaching(dialect, server, wanted, async () => {
    for (const [name, longest] of [
      [wanted.database, longestDatabase],
      [wanted.credentials.user, longestUser],
    ] as const)
      if (name.length > longest)
        throw failure(
          dialect,
          server,
          `at most ${longest} characters were expected, ${JSON.stringify(name)} has more; choose a shorter name`,
        )
    return withSession(server, server.administrator, undefined, async session => {
      const { version } = (await session.first<{ version: string }>('SELECT VERSION() AS version'))!
      checkVersion(dialect, server, version, /mariadb/i.test(version) ? '10.5' : '8.0')
      const taken = await session.first<{ taken: number | null }>('SELECT GET_LOCK(?, ?) AS taken', [lock, lockSeconds])
      if (taken?.taken !== 1)
        throw failure(
          dialect,
          server,
          `somebody else makes or drops something for ${lockSeconds} s already; try again when that has ended`,
        )
      return use(session)
    })
  })
}

const account = (session: Session, { credentials }: Wanted): string => `${session.literal(credentials.user)}@'%'`

const userOf = (session: Session, wanted: Wanted): Thing => {
  const { user, password } = wanted.credentials
  return {
    kind: 'user',
    name: user,
    exists: async () => (await session.first('SELECT 1 FROM mysql.user WHERE User = ?', [user])) !== undefined,
    looksUnfinished: async mark =>
      (await session.first("SELECT 1 FROM mysql.user WHERE User = ? AND Host = '%' AND max_questions = ?", [
        user,
        mark,
      ])) !== undefined,
    make: async mark =>
      void (await session.query(
        `CREATE USER ${account(session, wanted)} IDENTIFIED BY ${session.literal(password)} WITH MAX_QUERIES_PER_HOUR ${mark}`,
      )),
    finish: async () =>
      void (await session.query(`ALTER USER ${account(session, wanted)} WITH MAX_QUERIES_PER_HOUR 0`)),
    drop: async () => void (await session.query(`DROP USER ${account(session, wanted)}`)),
  }
}

/** Nobody sorts a whole database in Esperanto. */
const collationWhileMade = 'utf8mb4_esperanto_ci'

const databaseOf = (session: Session, wanted: Wanted): Thing => {
  const { database } = wanted
  const name = quoted(database)
  const schema = 'information_schema.SCHEMATA WHERE SCHEMA_NAME = ?'
  return {
    kind: 'database',
    name: database,
    exists: async () => (await session.first(`SELECT 1 FROM ${schema}`, [database])) !== undefined,
    looksUnfinished: async () =>
      (await session.first(
        `SELECT 1 FROM ${schema} AND DEFAULT_COLLATION_NAME = ? AND NOT EXISTS (SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?)`,
        [database, collationWhileMade, database],
      )) !== undefined,
    make: async () =>
      void (await session.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4 COLLATE ${collationWhileMade}`)),
    finish: async () => void (await session.query(`ALTER DATABASE ${name} CHARACTER SET utf8mb4`)),
    async drop() {
      // Rights on a name outlive what has the name.
      if (await hasGrant(session, wanted))
        await session.query(`REVOKE ALL ON ${await pattern(session, database)}.* FROM ${account(session, wanted)}`)
      await session.query(`DROP DATABASE ${name}`)
    },
  }
}

/** Names of databases are patterns where rights are given, as long as the server has not switched that off. */
async function patternText(session: Session, database: string): Promise<string> {
  const switched = await session.first<{ Value: string }>("SHOW VARIABLES LIKE 'partial_revokes'")
  return switched?.Value === 'ON' ? database : database.replaceAll(/[\\_%]/g, String.raw`\$&`)
}

const pattern = async (session: Session, database: string): Promise<string> =>
  quoted(await patternText(session, database))

const hasGrant = async (session: Session, { database, credentials }: Wanted): Promise<boolean> =>
  (await session.first("SELECT 1 FROM mysql.db WHERE Db = ? AND User = ? AND Host = '%'", [
    await patternText(session, database),
    credentials.user,
  ])) !== undefined

const canEnter = (server: Reached, { credentials }: Wanted): Promise<boolean> =>
  isLetIn(dialect, () => withSession(server, credentials, undefined, async () => {}))

/** A database of somebody else's, to which rights are given by nobody but him. */
async function checkUse(server: Reached, { database, credentials }: Wanted): Promise<void> {
  try {
    await withSession(server, credentials, database, async () => {})
  } catch (error) {
    if (dialect.troubleOf(error) !== 'rights') throw error
    throw foreignFailure(
      dialect,
      server,
      `database ${JSON.stringify(database)}`,
      `let its user in: GRANT ALL ON ${quoted(database)}.* TO '${credentials.user}'@'%'`,
    )
  }
}

function toolOf(programs: readonly string[], server: Reached, credentials: Credentials, authority?: string): Tool {
  // Each of the two kinds of programs has its own words for it.
  const isNamed = authority !== undefined && server.certificateName === undefined
  const tls = [
    ...(authority === undefined
      ? []
      : [`--ssl-ca=${authority}`, `--loose-ssl-mode=${isNamed ? 'VERIFY_IDENTITY' : 'VERIFY_CA'}`]),
    `--loose-ssl-verify-server-cert=${isNamed ? 1 : 0}`,
  ]
  return {
    programs,
    arguments: [
      '--no-defaults',
      '--protocol=tcp',
      `--host=${server.host}`,
      `--port=${server.port}`,
      `--user=${credentials.user}`,
      '--default-character-set=utf8mb4',
      ...tls,
    ],
    variables: { MYSQL_PWD: credentials.password },
    package: 'mariadb-client',
  }
}
