// Which conditions of a policy end a delivery, and which do not.
import { expect, test } from 'vitest'
import { gatewayController } from '../../../api/gateway-names.ts'
import { policyStanding } from './policy-standing.ts'

const target = { kind: 'HTTPRoute', name: 'shop' }

/** @param reason why not all that it refers to is there; undefined: it is */
function standing(reason: string | undefined, accepted = 'True', acceptedReason = 'Accepted'): string {
  const condition = (type: string, status: string, why: string) => ({
    type,
    status: status as 'True',
    reason: why,
    message: 'so',
    observedGeneration: 1,
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })
  const conditions = [
    condition('Accepted', accepted, acceptedReason),
    condition('ResolvedRefs', reason === undefined ? 'True' : 'False', reason ?? 'ResolvedRefs'),
  ]
  return policyStanding(
    {
      metadata: { name: 'shop', namespace: 'test', generation: 1 },
      status: { ancestors: [{ ancestorRef: target, controllerName: gatewayController, conditions }] },
    } as Parameters<typeof policyStanding>[0],
    target,
  ).state
}

test.each([
  ['is enforced when all that it refers to is there', undefined, 'enforced'],
  ['is open while keys of an issuer are fetched', 'Pending', 'open'],
  ['is refused when they cannot be fetched', 'KeysNotFetched', 'refused'],
  ['is enforced with the keys of before', 'KeysOutdated', 'enforced'],
  ['is refused without the secret of a client', 'InvalidClientSecret', 'refused'],
])('a policy %s', (_what, reason, expected) => {
  expect(standing(reason)).toBe(expected)
})

test('a policy is known before its target is there', () => {
  expect(standing(undefined, 'False', 'TargetNotFound')).toBe('known')
})
