// Tokens from a file of lines `token,user,uid,"group1,group2"`, read once. They are kept and compared as
// hashes, so that how long a comparison takes says nothing of a token.
// Source: staging/src/k8s.io/apiserver/pkg/authentication/token/tokenfile.
import { createHash } from 'node:crypto'
import type { UserInfo } from '../request.ts'
import type { VerifiedToken } from './verified-token.ts'

export interface StaticTokens {
  verify(token: string): VerifiedToken | undefined
}

export const tokenHash = (token: string): string => createHash('sha256').update(token).digest('base64')

/** @throws Error that names the line, and never shows what stands in it */
export function readStaticTokens(text: string): StaticTokens {
  const users = new Map<string, UserInfo>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [token = '', username = '', uid = '', groups = ''] = fieldsOf(line, index + 1).map(field => field.trim())
    if (token === '' || username === '')
      throw new Error(
        `line ${index + 1}: expected token,user,uid,"group1,group2", found ${token === '' ? 'no token' : 'no user'}`,
      )
    users.set(tokenHash(token), {
      username,
      ...(uid !== '' && { uid }),
      groups: [
        ...groups
          .split(',')
          .map(group => group.trim())
          .filter(group => group !== ''),
        'system:authenticated',
      ],
    })
  }
  return {
    verify(token) {
      const user = users.get(tokenHash(token))
      return user && { user }
    },
  }
}

/** One line of comma-separated values; a field in quotes may hold commas, and quotes written twice. */
function fieldsOf(line: string, lineNumber: number): string[] {
  const fields: string[] = []
  const field = /\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/y
  let separator: string | undefined
  do {
    const match = field.exec(line)
    if (match === null)
      throw new Error(
        `line ${lineNumber}: expected fields separated by commas, in double quotes where they hold commas`,
      )
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '')
    separator = match[3]
  } while (separator === ',')
  if (fields.length < 3)
    throw new Error(
      `line ${lineNumber}: expected at least token,user,uid, found ${fields.length} field${fields.length === 1 ? '' : 's'}`,
    )
  return fields
}
