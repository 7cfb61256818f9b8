// RabbitMQ: a user and a virtual host on which he may do everything. For whom they are made stands in the description
// of the one and in a tag of the other, in the same request that makes them. A backup holds what is declared (queues,
// exchanges, bindings, policies), as RabbitMQ's own does; messages are on their way somewhere and are not copied.
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import type { BackingService, Granted, Reached, Wanted } from '../backing-service.ts'
import { HttpFailure } from '../http-exchange.ts'
import { checkVersion, foreignFailure, foreignUser, markOf, reaching, usedAsItIs } from '../server-access.ts'
import { cutOff, noBackup } from '../whole-dump.ts'
import { dialect, managementOf, passwordFits, tagsOf, type Management, type User } from './management.ts'

/** The first whose virtual hosts have a description. */
const oldest = '3.8'
const everything = { configure: '.*', write: '.*', read: '.*' }

export const rabbitmq: BackingService = {
  type: 'rabbitmq',
  title: dialect.title,
  port: { name: 'rabbitmq', port: 5672, protocol: 'TCP' },
  administration: { name: 'management', port: 15_672, protocol: 'TCP' },
  credentials: 'own',
  administrator: 'sampan',

  managed: ({ image = 'rabbitmq:4-management' }) => ({
    process: { image, command: [], security: { root: false, user: 999, capabilities: [], readOnlyRoot: false } },
    variables: {
      RABBITMQ_DEFAULT_USER: { credential: 'user' },
      RABBITMQ_DEFAULT_PASS: { credential: 'password' },
      // Its data has the name of the node, which would be another one for each instance.
      RABBITMQ_NODENAME: { value: 'rabbit@localhost' },
    },
    // Not its whole home: of the file beside it, Erlang demands that no group may read it, which volumes do not keep.
    storagePath: '/var/lib/rabbitmq/mnesia',
    health: { kind: 'tcp', port: 'rabbitmq' },
    stopSeconds: 60,
  }),

  variables: ({ host, port, database, credentials: { user, password }, secure }: Granted) => {
    const url = `amqp${secure ? 's' : ''}://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`
    return {
      AMQP_URL: url,
      RABBITMQ_URL: url,
      RABBITMQ_HOST: host,
      RABBITMQ_PORT: String(port),
      RABBITMQ_VHOST: database,
      RABBITMQ_USERNAME: user,
      RABBITMQ_PASSWORD: password,
    }
  },

  ensure: (server, wanted, tell = () => {}) =>
    asAdministrator(server, wanted, async management => {
      const { database, credentials, owner } = wanted
      const made = await ensureUser(management, server, wanted, tell)
      const host = await management.read<VirtualHost>('vhosts', database)
      if (host === undefined) {
        await management.put({ description: markOf(owner) }, 'vhosts', database)
        made.push(`virtual host ${database}`)
      }
      const right = await management.read('permissions', database, credentials.user)
      if (host !== undefined && !isOurs(host, wanted)) {
        if (right === undefined)
          throw foreignFailure(
            dialect,
            server,
            `virtual host ${JSON.stringify(database)}`,
            `let its user in: rabbitmqctl set_permissions -p ${database} ${credentials.user} ".*" ".*" ".*"`,
          )
        tell(usedAsItIs(`virtual host ${database}`))
      } else if (right === undefined) {
        await management.put(everything, 'permissions', database, credentials.user)
        made.push(`rights of user ${credentials.user} on virtual host ${database}`)
      }
      return made
    }),

  exists: (server, wanted) =>
    asAdministrator(
      server,
      wanted,
      async management => (await management.read('vhosts', wanted.database)) !== undefined,
    ),

  drop: (server, wanted) =>
    asAdministrator(server, wanted, async management => {
      const { database, credentials } = wanted
      const dropped: string[] = []
      const host = await management.read<VirtualHost>('vhosts', database)
      if (host !== undefined && isOurs(host, wanted)) {
        await management.remove('vhosts', database)
        dropped.push(`virtual host ${database}`)
      }
      const user = await management.read<User>('users', credentials.user)
      if (user !== undefined && tagsOf(user).includes(tagOf(wanted))) {
        await management.remove('users', credentials.user)
        dropped.push(`user ${credentials.user}`)
      }
      return dropped
    }),

  backup: (server, wanted, to) =>
    asAdministrator(server, wanted, async management => {
      const definitions = await management.read('definitions', wanted.database)
      to.end(JSON.stringify(definitions))
      await finished(to, { readable: false })
    }),

  restore: (server, wanted, from) =>
    asAdministrator(server, wanted, async management => {
      const definitions = await buffer(from)
      checkDefinitions(definitions.toString())
      for (const kind of ['policies', 'queues', 'exchanges'] as const)
        for (const { name } of (await management.read<{ name: string }[]>(kind, wanted.database)) ?? [])
          if (name !== '' && !name.startsWith('amq.')) await management.remove(kind, wanted.database, name)
      await management.post(definitions, 'definitions', wanted.database)
    }),
}

/** @throws ServiceFailure before anything that is declared goes */
function checkDefinitions(text: string): void {
  try {
    const { queues, exchanges, bindings } = JSON.parse(text) as Partial<Record<string, unknown>>
    if ([queues, exchanges, bindings].every(Array.isArray)) return
  } catch {
    if (text.startsWith('{')) throw cutOff(dialect.title)
  }
  throw noBackup(dialect.title, text)
}

interface VirtualHost {
  readonly description?: string
  /** Before 3.10. */
  readonly metadata?: { readonly description?: string }
}

function asAdministrator<T>(server: Reached, wanted: Wanted, use: (management: Management) => Promise<T>): Promise<T> {
  const management = managementOf(server)
  return reaching(dialect, server, wanted, async () => {
    const overview = await management.read<{ rabbitmq_version: string }>('overview')
    checkVersion(dialect, server, overview?.rabbitmq_version ?? '0', oldest)
    try {
      return await use(management)
    } catch (error) {
      // Somebody else has made it since it was looked for.
      if (error instanceof HttpFailure && /_already_exists/.test(error.message)) return use(management)
      throw error
    }
  })
}

const isOurs = ({ description, metadata }: VirtualHost, { owner }: Wanted): boolean =>
  (description ?? metadata?.description) === markOf(owner)

/** Tags have commas between them. */
const tagOf = ({ owner }: Wanted): string => `sampan:${encodeURIComponent(owner)}`

async function ensureUser(
  management: Management,
  server: Reached,
  wanted: Wanted,
  tell: (text: string) => void,
): Promise<string[]> {
  const { user, password } = wanted.credentials
  const found = await management.read<User>('users', user)
  const isCurrent = found !== undefined && passwordFits(found, password)
  if (found !== undefined && !tagsOf(found).includes(tagOf(wanted))) {
    if (!isCurrent) throw foreignUser(dialect, server, user)
    tell(usedAsItIs(`user ${user}`))
    return []
  }
  if (isCurrent) return []
  await management.put({ password, tags: found === undefined ? tagOf(wanted) : tagsOf(found).join(',') }, 'users', user)
  return [found === undefined ? `user ${user}` : `password of user ${user}`]
}
