// Against Debian's RabbitMQ; a service of it speaks AMQP.
import { createHash } from 'node:crypto'
import { Connection } from 'rabbitmq-client'
import type { Wanted } from '../../src/delivery/services/backing-service.ts'
import { testBackingService, type TestedServer } from '../../src/delivery/services/contract.ts'
import { managementOf } from '../../src/delivery/services/rabbitmq/management.ts'
import { rabbitmq } from '../../src/delivery/services/rabbitmq/rabbitmq.ts'
import { startRabbitmq } from '../../src/testing/service-servers.ts'

async function open(): Promise<TestedServer> {
  const server = await startRabbitmq()
  const management = managementOf(server)

  async function asService<T>(wanted: Wanted, use: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = new Connection({
      hostname: server.host,
      port: server.messagePort,
      username: wanted.credentials.user,
      password: wanted.credentials.password,
      vhost: wanted.database,
      noDelay: true,
      retryLow: 1,
      acquireTimeout: 2000,
    })
    connection.on('error', () => {})
    try {
      return await use(connection)
    } finally {
      await connection.close()
    }
  }
  /** What is declared is what is kept: a value is the name of an exchange that is bound to the key's. */
  const nameOf = (value: string): string => createHash('sha256').update(value).digest('hex')
  const values = new Map<string, string>()

  return {
    reached: server,
    close: () => server.close(),
    inventory: async () =>
      (await Promise.all(['users', 'vhosts', 'permissions'].map(kind => management.read<object[]>(kind))))
        .flat()
        .map(found => {
          const { name, tags, password_hash, description, user, vhost } = found as Record<string, unknown>
          return JSON.stringify({ name, tags, password_hash, description, user, vhost })
        })
        .sort(),
    makeUser: ({ user, password }) => management.put({ password, tags: '' }, 'users', user),
    makeDatabase: name => management.put({}, 'vhosts', name),
    write: (wanted, key, value) =>
      asService(wanted, async connection => {
        values.set(nameOf(value), value)
        await connection.exchangeDelete({ exchange: key })
        await connection.exchangeDeclare({ exchange: key, type: 'fanout', durable: true })
        await connection.queueDeclare({ queue: nameOf(value), durable: true })
        await connection.queueBind({ exchange: key, queue: nameOf(value) })
      }),
    async read({ database }, key) {
      const bound = await management.read<{ destination: string }[]>('exchanges', database, key, 'bindings', 'source')
      return bound?.map(({ destination }) => values.get(destination))[0]
    },
  }
}

testBackingService(rabbitmq, open, {
  foreignDatabaseNeedsGrant: true,
  restoresInPieces: true,
  oddNames: [
    { database: 'a "quoted" one', credentials: { user: 'MY "shop"', password: '1' } },
    { database: 'a/b%2f c?d#e', credentials: { user: "o'brien/x", password: 'p' } },
    { database: 'größe', credentials: { user: 'user', password: 'π' } },
  ],
})
