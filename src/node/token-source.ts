// Service account tokens for pods, kept until four fifths of their time are over, then renewed.
import type { AuthenticationTokenRequest, Pod, ServiceAccountTokenProjection } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { serviceAccounts } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../lib/clock.ts'

export interface IssuedToken {
  readonly token: string
  readonly renewAtMs: number
}

export interface TokenSource {
  tokenFor(pod: Pod, projection: ServiceAccountTokenProjection): Promise<IssuedToken>
  forget(podUid: string): void
}

const defaultExpirationSeconds = 3_600
const renewalFraction = 0.8
const longestMs = 24 * 3_600_000

export function tokenSource(client: Client, clock: Clock): TokenSource {
  const issued = new Map<string, Map<string, IssuedToken>>()
  return {
    async tokenFor(pod, { audience = '', expirationSeconds = defaultExpirationSeconds }) {
      const { name, namespace, uid } = pod.metadata
      const key = `${audience}|${expirationSeconds}`
      const known = issued.get(uid)?.get(key)
      if (known !== undefined && clock.now() < known.renewAtMs) return known
      const request: New<AuthenticationTokenRequest> = {
        metadata: {},
        spec: {
          ...(audience !== '' && { audiences: [audience] }),
          expirationSeconds,
          boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
        },
      }
      const account = { namespace, name: pod.spec.serviceAccountName ?? 'default' }
      const answer = await client.post<AuthenticationTokenRequest>(serviceAccounts, account, 'token', request)
      const expiresMs =
        Date.parse(answer.status.expirationTimestamp ?? '') || clock.now() + Number(expirationSeconds) * 1_000
      const token = {
        token: answer.status.token ?? '',
        renewAtMs: clock.now() + Math.min(longestMs, (expiresMs - clock.now()) * renewalFraction),
      }
      if (!issued.has(uid)) issued.set(uid, new Map())
      issued.get(uid)!.set(key, token)
      return token
    },
    forget: uid => void issued.delete(uid),
  }
}
