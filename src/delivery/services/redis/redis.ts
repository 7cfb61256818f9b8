// Redis and Valkey: a user who reaches the keys and channels below a prefix. The user's own rules carry for whom he
// was made, as a channel that nobody uses: one command makes both. Keys that were there before him are not his.
import type { BackingService, Granted, Reached, Wanted } from '../backing-service.ts'
import { checkVersion, failure, foreignUser, reaching, usedAsItIs } from '../server-access.ts'
import { keysBelow, patternOf, removeKeys, removeWaiting, replaceKeys, writeKeys } from './copy-keys.ts'
import { dialect, findUser, passwordRule, withSession, type Session, type User } from './session.ts'

const port = 6379
/** The first with rules about channels. */
const oldest = '6.2'

export const redis: BackingService = {
  type: 'redis',
  title: dialect.title,
  port: { name: 'redis', port, protocol: 'TCP' },
  credentials: 'own',
  administrator: 'default',

  managed: ({ image = 'redis:8' }) => ({
    process: {
      image,
      command: ['sh', '-c', start],
      security: { root: false, user: 999, capabilities: [], readOnlyRoot: false },
    },
    variables: { REDIS_USER: { credential: 'user' }, REDIS_PASSWORD: { credential: 'password' } },
    storagePath: '/data',
    health: {
      kind: 'command',
      // While it reads its data it answers, but not this.
      command: ['sh', '-c', 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli --user "$REDIS_USER" ping | grep -q PONG'],
    },
    stopSeconds: 30,
  }),

  variables({ host, port, credentials: { user, password }, secure, ...granted }: Granted) {
    const prefix = prefixOf(granted)
    return {
      REDIS_URL: `redis${secure ? 's' : ''}://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/0`,
      REDIS_HOST: host,
      REDIS_PORT: String(port),
      REDIS_USERNAME: user,
      REDIS_PASSWORD: password,
      REDIS_PREFIX: prefix,
    }
  },

  ensure: (server, wanted, tell = () => {}) =>
    asAdministrator(server, wanted, async session => {
      const { user, password } = wanted.credentials
      const found = await findUser(session, user)
      const isCurrent = found?.rules.includes('nopass') || found?.rules.includes(passwordRule(password))
      const made: string[] = []
      if (found === undefined) {
        const isEmpty = (await keysBelow(session, prefixOf(wanted)).next()).done === true
        if (!isEmpty) tell(usedAsItIs(`database ${wanted.database}`))
        await session.sendCommand([
          'ACL',
          'SETUSER',
          user,
          'reset',
          'on',
          passwordRule(password),
          ...rulesFor(wanted, isEmpty),
        ])
        made.push(`user ${user}`)
      } else if (!isOurs(found, wanted)) {
        if (!isCurrent) throw foreignUser(dialect, server, user)
        tell(usedAsItIs(`user ${user}`))
        return []
      } else if (!isCurrent) {
        await session.sendCommand(['ACL', 'SETUSER', user, 'resetpass', passwordRule(password)])
        made.push(`password of user ${user}`)
      }
      await keepUsers(session, tell)
      return made
    }),

  exists: (server, wanted) =>
    asAdministrator(server, wanted, async session => (await findUser(session, wanted.credentials.user)) !== undefined),

  drop: (server, wanted) =>
    asAdministrator(server, wanted, async session => {
      const { user } = wanted.credentials
      const found = await findUser(session, user)
      if (found === undefined || !isOurs(found, wanted)) return []
      const dropped: string[] = []
      await removeWaiting(session, prefixOf(wanted))
      if (found.rules.includes(keysMark(wanted)) && (await removeKeys(session, prefixOf(wanted))) > 0)
        dropped.push(`keys below ${prefixOf(wanted)}`)
      await session.sendCommand(['ACL', 'DELUSER', user])
      await keepUsers(session, () => {})
      return [...dropped, `user ${user}`]
    }),

  backup: (server, wanted, to) => asAdministrator(server, wanted, session => writeKeys(session, prefixOf(wanted), to)),

  restore: (server, wanted, from) =>
    asAdministrator(server, wanted, session => replaceKeys(session, prefixOf(wanted), from)),
}

function asAdministrator<T>(server: Reached, wanted: Wanted, use: (session: Session) => Promise<T>): Promise<T> {
  return reaching(dialect, server, wanted, async () => {
    for (const name of [wanted.database, wanted.credentials.user])
      if (/[\s\0]/.test(name))
        throw failure(dialect, server, `names have no spaces, ${JSON.stringify(name)} has; choose another one`)
    return withSession(server, server.administrator, async session => {
      const information = (await session.sendCommand(['INFO', 'server'])) as unknown as string
      checkVersion(dialect, server, /redis_version:(\S+)/.exec(information)?.[1] ?? '0', oldest)
      return use(session)
    })
  })
}

const prefixOf = ({ database, exclusive }: Pick<Wanted, 'database' | 'exclusive'>): string =>
  exclusive ? '' : `${database}:`

const ownerMark = ({ owner }: Wanted): string => `&sampan.owner:${encodeURIComponent(owner)}`
const keysMark = ({ database }: Wanted): string => `&sampan.keys:${encodeURIComponent(database)}`

const isOurs = ({ rules }: User, wanted: Wanted): boolean => rules.includes(ownerMark(wanted))

/** What harms others on a server is left out; what libraries ask as they connect is not. */
const harmless = ['-@admin', '-@dangerous', '+info', '+sort', '+sort_ro', '+role']

function rulesFor(wanted: Wanted, isEmpty: boolean): string[] {
  const pattern = patternOf(prefixOf(wanted))
  return [
    `~${pattern}`,
    // A single star would take no rule beside it.
    `&${pattern === '*' ? '**' : pattern}`,
    ownerMark(wanted),
    ...(isEmpty ? [keysMark(wanted)] : []),
    '+@all',
    ...(wanted.exclusive ? ['-@admin'] : harmless),
  ]
}

/** Each time, also when nothing has changed: who changed something may have been killed before this. */
async function keepUsers(session: Session, tell: (text: string) => void): Promise<void> {
  for (const command of [
    ['ACL', 'SAVE'],
    ['CONFIG', 'REWRITE'],
  ])
    try {
      await session.sendCommand(command)
      return
    } catch (error) {
      if (!(error instanceof Error) || dialect.troubleOf(error) === 'unreachable') throw error
    }
  tell('Redis forgets its users when it is started again; give it an `aclfile`')
}

/**
 * Users are kept beside the data; the administrator's password is that of the variables at each start. It stands in
 * neither the command line nor a file: files hold its hash.
 */
const start = `
set -e
umask 077
cd /data
hash=$(printf %s "$REDIS_PASSWORD" | sha256sum | cut -d ' ' -f 1)
{
  echo "user $REDIS_USER on #$hash ~* &* +@all"
  [ "$REDIS_USER" = default ] || echo 'user default off'
  [ ! -e users.acl ] || grep -v -e "^user $REDIS_USER " -e '^user default ' users.acl || true
} > users.new
mv users.new users.acl
exec redis-server --dir /data --appendonly yes --aclfile /data/users.acl
`
