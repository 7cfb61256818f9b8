// Bootstrap tokens as credentials: `id.secret`, held against the Secret of that id.
// Source: plugin/pkg/auth/authenticator/token/bootstrap.
import { timingSafeEqual } from 'node:crypto'
import {
  bootstrapTokenEndMs,
  bootstrapTokenNamespace,
  bootstrapTokenPrefix,
  bootstrapTokenValue,
  isBootstrapToken,
} from '../../api/bootstrap-token.ts'
import type { Secret } from '../../api/generated/models.ts'
import { secrets } from '../../api/resources.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import type { VerifiedToken } from './verified-token.ts'

const pattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/

export function verifyBootstrapToken(token: string, storage: ObjectStorage, nowMs: number): VerifiedToken | undefined {
  const [, id, part] = pattern.exec(token) ?? []
  if (id === undefined || part === undefined) return undefined
  const secret = storage.get(secrets, `${bootstrapTokenNamespace}/${bootstrapTokenPrefix}${id}`)?.object as
    | Secret
    | undefined
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined || !isBootstrapToken(secret))
    return undefined
  const value = (key: string): string => bootstrapTokenValue(secret, key)
  if (
    !sameText(value('token-secret'), part) ||
    value('token-id') !== id ||
    value('usage-bootstrap-authentication') !== 'true'
  )
    return undefined
  const endMs = bootstrapTokenEndMs(secret)
  const extraGroups = value('auth-extra-groups')
    .split(',')
    .filter(group => group !== '')
  if (endMs <= nowMs || !extraGroups.every(group => groupPattern.test(group))) return undefined
  const groups = [...new Set(['system:bootstrappers', ...extraGroups])].sort()
  return {
    user: { username: `system:bootstrap:${id}`, groups: [...groups, 'system:authenticated'] },
    ...(endMs !== Infinity && { expiresMs: endMs }),
  }
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
