// NATS: its users stand in its configuration, and no client makes any. So services get the administrator's, and all
// that is to be ensured is that the server lets them in. Its subjects need not be made.
import { ServiceFailure, type BackingService, type Granted, type Reached } from '../backing-service.ts'
import { checkVersion, connectMs, reaching, tlsOf, type Dialect } from '../server-access.ts'

/** The first with JetStream. */
const oldest = '2.2'

const dialect: Dialect = {
  title: 'NATS',
  rights: 'needs the right to connect',
  troubleOf(error) {
    const { name, message } = error as Error
    if (
      /^(?:AuthorizationError|UserAuthenticationExpiredError)$/.test(name) ||
      /authorization violation/i.test(message)
    )
      return 'credentials'
    if (/does not support 'tls'|^tls/.test(message)) return 'certificate'
    if (name === 'TimeoutError' || /connection refused|^timeout|disconnected|closed/i.test(message))
      return 'unreachable'
    return undefined
  },
}

export const nats: BackingService = {
  type: 'nats',
  title: dialect.title,
  port: { name: 'nats', port: 4222, protocol: 'TCP' },
  credentials: 'administrator',
  administrator: 'sampan',

  managed({ image = 'nats:2-alpine', administrator }) {
    for (const text of Object.values(administrator))
      if (!/^[\w.-]+$/.test(text))
        throw new ServiceFailure('NATS: letters, digits, dashes and dots were expected in its user and password')
    return {
      process: {
        image,
        command: ['sh', '-c', start],
        security: { root: false, user: 1000, capabilities: [], readOnlyRoot: false },
      },
      variables: { NATS_USER: { credential: 'user' }, NATS_PASSWORD: { credential: 'password' } },
      storagePath: '/data',
      health: { kind: 'tcp', port: 'nats' },
      stopSeconds: 30,
    }
  },

  variables: ({ host, port, credentials: { user, password }, secure }: Granted) => ({
    NATS_URL: `${secure ? 'tls' : 'nats'}://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}`,
    NATS_SERVERS: `${host}:${port}`,
    NATS_USER: user,
    NATS_PASSWORD: password,
  }),

  ensure: (server, wanted) =>
    reaching(dialect, server, wanted, async () => {
      checkVersion(dialect, server, await versionOf(server), oldest)
      return []
    }),

  exists: async () => true,
  drop: async () => [],

  backup: () => Promise.reject(notCopied()),
  restore: () => Promise.reject(notCopied()),
}

const notCopied = (): ServiceFailure =>
  new ServiceFailure(
    'NATS: streams are copied by its own program, not by Sampan; use: nats account backup FOLDER, nats account restore FOLDER',
  )

async function versionOf(server: Reached): Promise<string> {
  const { connect } = await import('./library.ts')
  const connection = await connect({
    servers: `${server.host}:${server.port}`,
    user: server.administrator.user,
    pass: server.administrator.password,
    timeout: connectMs,
    reconnect: false,
    ignoreClusterUpdates: true,
    // `extend` of the library hands on more than its types name.
    tls: (tlsOf(server) as object | undefined) ?? null,
  })
  try {
    return connection.info?.version ?? '0'
  } finally {
    await connection.close()
  }
}

/** Passwords stand in a file that only the server reads, since its command line is seen by others. */
const start = `
set -e
umask 077
cd /data
printf 'jetstream { store_dir: /data/jetstream }\\nauthorization { user: "%s", password: "%s" }\\n' "$NATS_USER" "$NATS_PASSWORD" > nats.conf
exec nats-server --config /data/nats.conf
`
