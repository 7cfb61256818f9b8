// What all backing services have in common when they speak to a server: how its failures become sentences that say
// what to do, patience with one that has just been started, TLS, and the mark by which Sampan knows what it made.
// No password comes out of here: they are struck from whatever a server or a library says.
import { isIP } from 'node:net'
import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { strikeOut } from '../../lib/strike-out.ts'
import { ServiceFailure, type Credentials, type Reached, type Wanted } from './backing-service.ts'

export const connectMs = 10_000
export const commandMs = 30_000
const betweenTriesMs = 250

/** `unreachable` may pass by itself; for the others somebody has to do something. */
export type Trouble = 'unreachable' | 'credentials' | 'rights' | 'certificate'

/** How a kind of server tells what is wrong. */
export interface Dialect {
  readonly title: string
  /** @returns undefined when it is none of these */
  troubleOf(error: unknown): Trouble | undefined
  /** What an administrator has to be allowed, and how it is given: `needs CREATEROLE: ALTER ROLE ...`. */
  readonly rights: string
}

/** @returns what stands beside what was made, to be known again */
export const markOf = (owner: string): string => `made by Sampan for ${owner}`

export const addressOf = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`

/** Entirely the caller's words, about one server. */
export const failure = ({ title }: Pick<Dialect, 'title'>, server: Reached, text: string): ServiceFailure =>
  new ServiceFailure(`${title} at ${addressOf(server)}: ${text}`)

/**
 * Does work that can be done again from its start.
 * @throws ServiceFailure whatever went wrong
 */
export async function reaching<T>(
  dialect: Dialect,
  server: Reached,
  wanted: Wanted,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + (server.waitSeconds ?? 0) * 1000
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (error instanceof ServiceFailure) throw error
      const trouble = troubleOf(dialect, error)
      if (trouble !== 'unreachable' || performance.now() > deadline)
        throw failure(
          dialect,
          server,
          explain(dialect, server, trouble, wordsOf(error, [server.administrator, wanted.credentials])),
        )
      await sleep(betweenTriesMs)
    }
  }
}

/** @returns whether the server lets somebody in; what is no answer to that is thrown */
export async function isLetIn(dialect: Dialect, enter: () => Promise<void>): Promise<boolean> {
  try {
    await enter()
    return true
  } catch (error) {
    if (troubleOf(dialect, error) === 'credentials') return false
    throw error
  }
}

/** Somebody else's user or database of the wanted name, with which the service cannot work. */
export const foreignFailure = (dialect: Dialect, server: Reached, what: string, remedy: string): ServiceFailure =>
  failure(dialect, server, `${what} exists, was not made by Sampan for this service and is not changed; ${remedy}`)

/** @param remedy who else could be meant, such as another name in `app.yml` */
export const foreignUser = (dialect: Dialect, server: Reached, user: string): ServiceFailure =>
  foreignFailure(
    dialect,
    server,
    `user ${JSON.stringify(user)}`,
    'it does not let in with the password of the service: keep its real password in the secrets of the environment, or remove the user',
  )

export const usedAsItIs = (what: string): string => `${what} exists and was not made by Sampan; it is used as it is`

/** @throws ServiceFailure when the server is older than the first version that is known to do */
export function checkVersion(dialect: Dialect, server: Reached, found: string, oldest: string): void {
  const numbers = (version: string): number[] => version.split('.').map(part => Number.parseInt(part, 10) || 0)
  const is = numbers(found)
  const differing = numbers(oldest).findIndex((number, index) => number !== (is[index] ?? 0))
  if (differing >= 0 && (is[differing] ?? 0) < numbers(oldest)[differing]!)
    throw failure(dialect, server, `version ${oldest} or newer was expected, it is ${found}; update the server`)
}

/** For `tls.connect`, `https.request` and the libraries that hand such options on; undefined: plain. */
export function tlsOf({ host, authority, certificateName = host }: Reached): ConnectionOptions | undefined {
  if (authority === undefined) return undefined
  return {
    ca: authority,
    ...(isIP(certificateName) === 0 && { servername: certificateName }),
    checkServerIdentity: (_name, certificate) => checkServerIdentity(certificateName, certificate),
  }
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
])

export const codeOf = (error: unknown): string => String((error as { code?: string | number } | undefined)?.code ?? '')

/** The error that a library has wrapped into its own. */
const causesOf = (error: unknown): unknown[] => (error instanceof Error ? [error, ...causesOf(error.cause)] : [])

function troubleOf(dialect: Dialect, error: unknown): Trouble | undefined {
  for (const cause of causesOf(error)) {
    const own = dialect.troubleOf(cause)
    if (own !== undefined) return own
    const code = codeOf(cause)
    if (networkCodes.has(code)) return 'unreachable'
    if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|^ERR_(?:TLS|SSL)|^EPROTO$/.test(code)) return 'certificate'
  }
  return undefined
}

/** Passwords are struck out, also as they stand within quotes. */
function wordsOf(error: unknown, credentials: readonly Credentials[]): string {
  const message = error instanceof Error ? error.message || codeOf(error) : String(error)
  const passwords = credentials.map(({ password }) => password)
  return strikeOut(message, passwords).trim()
}

function explain(dialect: Dialect, server: Reached, trouble: Trouble | undefined, words: string): string {
  switch (trouble) {
    case 'unreachable':
      return `does not answer (${words}); check that it runs and that this machine reaches it`
    case 'credentials':
      return `refuses the administrator ${JSON.stringify(server.administrator.user)} (${words}); check the user and the password in the secrets of the environment`
    case 'rights':
      return `the administrator ${JSON.stringify(server.administrator.user)} has too few rights (${words}); it ${dialect.rights}`
    case 'certificate':
      return `does not show the certificate that was expected (${words}); check \`authority\` and whether the server speaks TLS`
    case undefined:
      return words
  }
}
