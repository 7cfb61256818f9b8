// Who may do what with which repository. On loopback everybody may do everything; where others can reach the registry,
// whoever runs it says who is asking and what he may.
import type { IncomingMessage } from 'node:http'
import { RegistryError } from './registry-error.ts'

export type Action = 'pull' | 'push' | 'delete'

export interface Access {
  /** @param token undefined: nothing was shown. @returns undefined: it is no good */
  identify(token: string | undefined): Promise<Caller | undefined>
}

export interface Caller {
  readonly isAnonymous: boolean
  /** @param repository undefined: the list of repositories */
  may(action: Action, repository: string | undefined): Promise<boolean>
}

export const openAccess: Access = {
  identify: () => Promise.resolve({ isAnonymous: false, may: () => Promise.resolve(true) }),
}

/** What docker, podman and skopeo ask their users for after this: a name and a password. */
const unauthorized = (message: string): RegistryError =>
  new RegistryError(401, 'UNAUTHORIZED', message, { 'WWW-Authenticate': 'Basic realm="sampan"' })

/** @throws RegistryError when what is shown is no good */
export async function callerOf(access: Access, { headers }: IncomingMessage): Promise<Caller> {
  const caller = await access.identify(tokenIn(headers.authorization))
  if (caller === undefined)
    throw unauthorized(
      'the password is none that the cluster knows; log in with a token of it as password, for example of: kubectl create token NAME',
    )
  return caller
}

/** @throws RegistryError */
export async function assertMay(caller: Caller, action: Action, repository: string | undefined): Promise<void> {
  if (await caller.may(action, repository)) return
  const what = repository === undefined ? 'list the repositories' : `${action} ${repository}`
  if (caller.isAnonymous)
    throw unauthorized(`who shows no password may not ${what}; log in with a token of the cluster as password`)
  throw new RegistryError(
    403,
    'DENIED',
    `you may not ${what}; it takes a role with the verb "${verbOf[action]}" on "repositories" of registry.sampan.dev`,
  )
}

/** In the words of the cluster's roles. */
export const verbOf: Readonly<Record<Action, string>> = { pull: 'get', push: 'update', delete: 'delete' }

/** The password of a login, whatever the user is called; or a token as other clients of the cluster show it. */
function tokenIn(authorization: string | undefined): string | undefined {
  const [, scheme = '', value = ''] = /^(basic|bearer) +(\S+)$/i.exec(authorization?.trim() ?? '') ?? []
  if (authorization === undefined) return undefined
  if (scheme.toLowerCase() === 'bearer') return value
  const decoded = Buffer.from(value, 'base64').toString()
  return decoded.slice(decoded.indexOf(':') + 1)
}
