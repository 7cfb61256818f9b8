// PostgreSQL: a user and a database that belongs to it. Who they are made for stands in their comments. A user and its
// comment are one transaction; a database cannot be, so it is made under a name that only Sampan uses, and gets its
// real name in one transaction with its comment: nothing of the wanted name is ever without an owner.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  checkVersion,
  failure,
  foreignFailure,
  foreignUser,
  isLetIn,
  markOf,
  reaching,
  usedAsItIs,
} from '../server-access.ts'
import type { BackingService, Granted, Reached, Tool, Wanted } from '../backing-service.ts'
import { between } from '../between.ts'
import { machineTool, withAuthorityFile } from '../machine-tool.ts'
import { wholeDump, type DumpMarks } from '../whole-dump.ts'
import { scramVerifier, verifierFits } from './scram-verifier.ts'
import { dialect, withSession, type Session } from './session.ts'

const port = 5432
/** The first in which a database's owner, and nobody else, makes tables. */
const oldest = '15'
/** Connected to when something is made. */
const maintenance = 'postgres'
/** One at a time makes or drops on a server: any number, the same for all. */
const lock = 0x5a3b9a
const longestName = 63

export const postgres: BackingService = {
  type: 'postgres',
  title: dialect.title,
  port: { name: 'postgres', port, protocol: 'TCP' },
  credentials: 'own',
  administrator: 'postgres',

  managed: ({ image = 'postgres:17', administrator }) => ({
    process: { image, command: [], security: { root: false, user: 999, capabilities: [], readOnlyRoot: false } },
    variables: {
      POSTGRES_USER: { credential: 'user' },
      POSTGRES_PASSWORD: { credential: 'password' },
      // Below the volume: a new file system is not empty.
      PGDATA: { value: '/var/lib/postgresql/data/pgdata' },
    },
    storagePath: '/var/lib/postgresql/data',
    // Over the network: while it is made, the server listens to nobody else.
    health: { kind: 'command', command: ['pg_isready', '-h', '127.0.0.1', '-U', administrator.user] },
    stopSeconds: 60,
  }),

  variables: ({ host, port, database, credentials: { user, password }, secure }: Granted) => ({
    DATABASE_URL: `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}${secure ? '?sslmode=require' : ''}`,
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
    ...(secure && { PGSSLMODE: 'require' }),
  }),

  ensure: (server, wanted, tell = () => {}) =>
    asAdministrator(server, wanted, async session => {
      const made = [
        ...(await ensureUser(session, server, wanted, tell)),
        ...(await ensureDatabase(session, wanted, tell)),
      ]
      await checkUse(server, wanted, tell)
      return made
    }),

  exists: (server, wanted) =>
    asAdministrator(server, wanted, async session => (await findDatabase(session, wanted.database)) !== undefined),

  drop: (server, wanted) =>
    asAdministrator(server, wanted, async session => {
      const dropped: string[] = []
      for (const name of [wanted.database, nameWhileMade(wanted)]) {
        if (!isOurs(await findDatabase(session, name), wanted, name)) continue
        await session.query(`DROP DATABASE ${session.name(name)} WITH (FORCE)`)
        dropped.push(`database ${wanted.database}`)
      }
      const { user } = wanted.credentials
      if ((await findUser(session, user))?.mark === markOf(wanted.owner)) {
        await dropUser(session, server, user)
        dropped.push(`user ${user}`)
      }
      return [...new Set(dropped)]
    }),

  usesTools: true,

  backup: (server, wanted, to, runTool = machineTool) =>
    withAuthorityFile(server, file =>
      runTool({
        ...programOf('pg_dump', server, wanted, file),
        arguments: ['--no-owner', '--no-privileges'],
        output: to,
      }),
    ),

  // One transaction, whose end comes with the end of the dump: what was there stays when anything of it fails, and when
  // nobody is there any more to send the rest.
  restore: async (server, wanted, from, runTool = machineTool) => {
    const dump = await wholeDump(from, marks)
    return withAuthorityFile(server, file =>
      runTool({
        ...programOf('psql', server, wanted, file),
        arguments: ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--output=/dev/null'],
        input: Readable.from(between(`BEGIN;\n${emptied}`, dump, '\nCOMMIT;\n')),
      }),
    )
  },
}

const marks: DumpMarks = {
  title: dialect.title,
  begins: /^\s*--\s+-- PostgreSQL database dump\s/,
  ends: /\n-- PostgreSQL database dump complete\s/,
}

function asAdministrator<T>(server: Reached, wanted: Wanted, use: (session: Session) => Promise<T>): Promise<T> {
  for (const name of [wanted.database, wanted.credentials.user])
    if (Buffer.byteLength(name) > longestName)
      return Promise.reject(
        failure(
          dialect,
          server,
          `names have at most ${longestName} bytes, ${JSON.stringify(name)} has more; choose a shorter one`,
        ),
      )
  return reaching(dialect, server, wanted, () =>
    withSession(server, server.administrator, maintenance, async session => {
      const { server_version: version } = (await session.first<{ server_version: string }>('SHOW server_version'))!
      checkVersion(dialect, server, version, oldest)
      await session.query('SELECT pg_advisory_lock($1)', [lock])
      return use(session)
    }),
  )
}

interface Found {
  readonly mark: string | null
}

const findUser = (session: Session, user: string): Promise<Found | undefined> =>
  session.first<Found>("SELECT shobj_description(oid, 'pg_authid') AS mark FROM pg_roles WHERE rolname = $1", [user])

const findDatabase = (session: Session, database: string): Promise<Found | undefined> =>
  session.first<Found>("SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = $1", [
    database,
  ])

async function ensureUser(
  session: Session,
  server: Reached,
  { credentials, owner }: Wanted,
  tell: (text: string) => void,
): Promise<string[]> {
  const { user, password } = credentials
  const name = session.name(user)
  const found = await findUser(session, user)
  const { rolsuper: isSuperuser } = (await session.first<{ rolsuper: boolean }>(
    'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
  ))!
  const setPassword = (verb: string): string =>
    `${verb} ROLE ${name} LOGIN PASSWORD ${session.literal(scramVerifier(password))}`
  if (found === undefined) {
    await session.atOnce([
      setPassword('CREATE'),
      `COMMENT ON ROLE ${name} IS ${session.literal(markOf(owner))}`,
      // Else it could give it no database.
      ...(isSuperuser ? [] : [`GRANT ${name} TO CURRENT_USER`]),
    ])
    return [`user ${user}`]
  }
  const fits = isSuperuser ? await storedFits(session, user, password) : undefined
  const isCurrent = fits ?? (await canEnter(server, credentials))
  if (found.mark !== markOf(owner)) {
    if (!isCurrent) throw foreignUser(dialect, server, user)
    tell(usedAsItIs(`user ${user}`))
    return []
  }
  if (isCurrent) return []
  await session.query(setPassword('ALTER'))
  return [`password of user ${user}`]
}

/** Without a login, which may be let in whatever its password is. */
async function storedFits(session: Session, user: string, password: string): Promise<boolean | undefined> {
  const stored = await session.first<{ rolpassword: string | null; rolcanlogin: boolean }>(
    'SELECT rolpassword, rolcanlogin FROM pg_authid WHERE rolname = $1',
    [user],
  )
  if (!stored?.rolcanlogin) return false
  return stored.rolpassword === null ? false : verifierFits(stored.rolpassword, password)
}

const canEnter = (server: Reached, credentials: Wanted['credentials']): Promise<boolean> =>
  isLetIn(dialect, async () => {
    try {
      await withSession(server, credentials, maintenance, async () => {})
    } catch (error) {
      // It may not use this database, but the password was right.
      if (dialect.troubleOf(error) !== 'rights') throw error
    }
  })

const nameWhileMade = ({ owner, database }: Wanted): string =>
  `sampan-making-${createHash('sha256').update(`${owner} ${database}`).digest('hex').slice(0, 32)}`

const isOurs = (found: Found | undefined, wanted: Wanted, name: string): boolean =>
  found !== undefined && (name === nameWhileMade(wanted) || found.mark === markOf(wanted.owner))

async function ensureDatabase(session: Session, wanted: Wanted, tell: (text: string) => void): Promise<string[]> {
  const { database, owner, credentials } = wanted
  const found = await findDatabase(session, database)
  if (found !== undefined) {
    if (found.mark !== markOf(owner)) tell(usedAsItIs(`database ${database}`))
    return []
  }
  const user = session.name(credentials.user)
  const temporary = nameWhileMade(wanted)
  const made = session.name(temporary)
  if ((await findDatabase(session, temporary)) === undefined)
    await session.query(`CREATE DATABASE ${made} OWNER ${user}`)
  await session.atOnce([
    `COMMENT ON DATABASE ${made} IS ${session.literal(markOf(owner))}`,
    `ALTER DATABASE ${made} OWNER TO ${user}`,
    `REVOKE ALL ON DATABASE ${made} FROM PUBLIC`,
    `ALTER DATABASE ${made} RENAME TO ${session.name(database)}`,
  ])
  return [`database ${database}`]
}

/** That the service can work with what it gets. */
async function checkUse(server: Reached, wanted: Wanted, tell: (text: string) => void): Promise<void> {
  const { database, credentials } = wanted
  const statement = (grant: string, on: string): string => `GRANT ${grant} ON ${on} TO "${credentials.user}"`
  try {
    const right = await withSession(server, credentials, database, session =>
      session.first<{ create: boolean }>(
        `SELECT has_schema_privilege(to_regnamespace('public')::oid, 'CREATE') AS create`,
      ),
    )
    if (!right?.create)
      tell(
        `user ${credentials.user} may make no tables in database ${database}; if it has to: ${statement('CREATE', 'SCHEMA public')}`,
      )
  } catch (error) {
    if (dialect.troubleOf(error) !== 'rights') throw error
    throw foreignFailure(
      dialect,
      server,
      `database ${JSON.stringify(database)}`,
      `let its user in: ${statement('CONNECT', `DATABASE "${database}"`)}`,
    )
  }
}

async function dropUser(session: Session, server: Reached, user: string): Promise<void> {
  try {
    await session.query(`DROP ROLE ${session.name(user)}`)
  } catch (error) {
    const { code, detail } = error as { code?: string; detail?: string }
    if (code !== '2BP01') throw error
    throw failure(
      dialect,
      server,
      `user ${JSON.stringify(user)} owns more than Sampan made, so it stays: ${detail}; give that to somebody else (REASSIGN OWNED BY, DROP OWNED BY) and drop again`,
    )
  }
}

function programOf(program: string, server: Reached, { database, credentials }: Wanted, authority?: string): Tool {
  return {
    programs: [program],
    arguments: [],
    package: 'postgresql-client',
    variables: {
      PGHOST: server.certificateName ?? server.host,
      ...(server.certificateName !== undefined && { PGHOSTADDR: server.host }),
      PGPORT: String(server.port),
      PGDATABASE: database,
      PGUSER: credentials.user,
      PGPASSWORD: credentials.password,
      PGCONNECT_TIMEOUT: '10',
      ...(authority !== undefined && { PGSSLMODE: 'verify-full', PGSSLROOTCERT: authority }),
    },
  }
}

/** Takes away what the user may take away, and leaves the schema that every database has. */
const emptied = `
DO $sampan$
DECLARE found name;
BEGIN
  FOR found IN SELECT nspname FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' AND pg_has_role(nspowner, 'USAGE')
  LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', found);
  END LOOP;
END
$sampan$;
CREATE SCHEMA IF NOT EXISTS public AUTHORIZATION pg_database_owner;
`
