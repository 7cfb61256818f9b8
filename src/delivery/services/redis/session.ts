// A connection to Redis or Valkey that ends with the first thing that fails, and what its users are.
import type { RedisClientType } from 'redis'
import { createHash } from 'node:crypto'
import type { Credentials, Reached } from '../backing-service.ts'
import { commandMs, connectMs, tlsOf, type Dialect } from '../server-access.ts'

export const dialect: Dialect = {
  title: 'Redis',
  rights: 'needs to make users and to read and write all keys: ACL SETUSER ... +@all ~* &*',
  troubleOf({ message }: Error) {
    if (/^(?:WRONGPASS|NOAUTH)|^ERR AUTH/.test(message)) return 'credentials'
    if (/^NOPERM|^ERR unknown command '?ACL/i.test(message)) return 'rights'
    if (/^(?:LOADING|BUSY|MASTERDOWN)|closed|timeout|Disconnects/i.test(message)) return 'unreachable'
    return undefined
  },
}

export type Session = RedisClientType

export async function withSession<T>(
  server: Reached,
  { user, password }: Credentials,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { createClient } = await import('./library.ts')
  const { host, port, authority } = server
  const session: Session = createClient({
    username: user,
    password,
    disableClientInfo: true,
    commandOptions: { timeout: commandMs },
    socket: {
      host,
      port,
      connectTimeout: connectMs,
      socketTimeout: commandMs,
      reconnectStrategy: false,
      ...(authority !== undefined && { tls: true, ...tlsOf(server) }),
    } as object,
  }) as unknown as Session
  // What breaks fails the command that goes on, too.
  session.on('error', () => {})
  try {
    await session.connect()
    return await use(session)
  } finally {
    session.destroy()
  }
}

export interface User {
  /** As `ACL LIST` shows them: no one has a space. */
  readonly rules: readonly string[]
}

export async function findUser(session: Session, name: string): Promise<User | undefined> {
  const lines = (await session.sendCommand(['ACL', 'LIST'])) as unknown as string[]
  const found = lines.map(line => line.split(' ')).find(words => words[1] === name)
  return found && { rules: found.slice(2) }
}

/** As Redis stores it. */
export const passwordRule = (password: string): string => `#${createHash('sha256').update(password).digest('hex')}`
