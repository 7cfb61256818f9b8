import { expect, test } from 'vitest'
import type { Secret, ServiceAccount } from '../../api/generated/models.ts'
import { judge } from './plan.ts'

const nowMs = Date.parse('2026-06-15T12:00:00Z')
const secret = (labels: Record<string, string> = {}, created = '2024-01-01T00:00:00Z', more: object = {}): Secret =>
  ({
    type: 'kubernetes.io/service-account-token',
    metadata: {
      namespace: 'a',
      name: 's',
      uid: 'u',
      creationTimestamp: created,
      labels,
      annotations: { 'kubernetes.io/service-account.name': 'robot', 'kubernetes.io/service-account.uid': 'r' },
      ...more,
    },
  }) as unknown as Secret
const account = { metadata: { name: 'robot', uid: 'r' }, secrets: [{ name: 's' }] } as unknown as ServiceAccount
const used = (day: string): Record<string, string> => ({ 'kubernetes.io/legacy-token-last-used': day })
const invalid = (day: string): Record<string, string> => ({ 'kubernetes.io/legacy-token-invalid-since': day })

test.each<[string, Partial<Parameters<typeof judge>[0]>, string]>([
  ['is marked when nobody used it', {}, 'invalidate'],
  ['is marked when it was used more than a year ago', { secret: secret(used('2025-06-14')) }, 'invalidate'],
  ['stays when it was used a year ago', { secret: secret(used('2025-06-15')) }, 'keep'],
  ['stays when nobody can read when it was used', { secret: secret(used('yesterday')) }, 'keep'],
  ['stays in its first year', { secret: secret({}, '2025-06-15T12:00:00Z') }, 'keep'],
  ['stays while uses have not been tracked for a year and a day', { trackedSince: '2025-06-15' }, 'keep'],
  ['is looked at a year and a day after tracking began', { trackedSince: '2025-06-14' }, 'invalidate'],
  ['stays while nobody knows since when uses are tracked', { trackedSince: undefined }, 'keep'],
  ['stays when it was made on purpose', { account: { ...account, secrets: [] } }, 'keep'],
  ['stays without its account', { account: undefined }, 'keep'],
  [
    'stays when the account is another one of the same name',
    { account: { ...account, metadata: { ...account.metadata, uid: 'x' } } },
    'keep',
  ],
  ['stays while a pod refers to it', { isMounted: () => true }, 'keep'],
  [
    'stays while it is being deleted',
    { secret: secret({}, undefined, { deletionTimestamp: '2026-06-15T00:00:00Z' }) },
    'keep',
  ],
  ['stays for a year after it was marked', { secret: secret(invalid('2025-06-15')) }, 'keep'],
  ['goes after that', { secret: secret(invalid('2025-06-14')) }, 'delete'],
  ['is marked anew where the mark is no date', { secret: secret(invalid('2025-02-30')) }, 'invalidate'],
])('a token %s', (_what, more, verdict) => {
  expect(judge({ secret: secret(), account, trackedSince: '2024-01-01', isMounted: () => false, ...more }, nowMs)).toBe(
    verdict,
  )
})
