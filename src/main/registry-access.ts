// Who may use the registry from elsewhere: whom the cluster's API knows by a token, and what its roles let him do with
// `repositories` of `registry.sampan.dev`: get (pull), update (push), delete, and list (all repositories). Roles name
// single repositories with `resourceNames`. Who shows no token is who shows the API none.
import { subjectAccessReviews, tokenReviews } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { verbOf, type Access, type Action, type Caller } from '../images/registry/access.ts'

interface User {
  readonly username: string
  readonly groups: readonly string[]
}

const anonymous: User = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

/** @param client may make reviews */
export function registryAccess(client: Client): Access {
  return {
    async identify(token) {
      const user = token === undefined ? anonymous : await userOf(client, token)
      return user === undefined ? undefined : callerFor(client, user, token === undefined)
    },
  }
}

async function userOf(client: Client, token: string): Promise<User | undefined> {
  if (token === '') return undefined
  const { status } = await client.create(tokenReviews, { metadata: { name: '' }, spec: { token } })
  if (status?.authenticated !== true) return undefined
  return { username: status.user?.username ?? '', groups: status.user?.groups ?? [] }
}

function callerFor(client: Client, { username, groups }: User, isAnonymous: boolean): Caller {
  return {
    isAnonymous,
    async may(action: Action, repository: string | undefined) {
      const { status } = await client.create(subjectAccessReviews, {
        metadata: { name: '' },
        spec: {
          user: username,
          groups: [...groups],
          resourceAttributes: {
            group: 'registry.sampan.dev',
            resource: 'repositories',
            verb: repository === undefined ? 'list' : verbOf[action],
            ...(repository !== undefined && { name: repository }),
          },
        },
      })
      return status?.allowed
    },
  }
}
