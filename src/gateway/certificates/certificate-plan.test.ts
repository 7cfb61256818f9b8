// What is due, and when: first as people would say it, then what must never happen, whatever an authority does.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { IssuedCertificate } from '../../api/gateway-api/certificate-issuers.ts'
import { formatTime } from '../../lib/clock.ts'
import type { FoundCertificate } from '../model/certificate-of.ts'
import {
  afterFailure,
  afterSuccess,
  certificatePlan,
  issuancesInTurn,
  waitMs,
  type DomainState,
  type Failure,
} from './certificate-plan.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const nowMs = Date.parse('2026-06-01T00:00:00Z')
const server = 'https://authority.example/directory'
const domain = '*.test.example.com'

const missing = { problem: 'there is no Secret' } as FoundCertificate
const held = (fromMs: number, untilMs: number, names: readonly string[] = [domain]): FoundCertificate => ({
  certificate: { id: 'x', pem: '' },
  names,
  validFromMs: fromMs,
  expiresAtMs: untilMs,
})
const state = (found: FoundCertificate, from: string | undefined = server): DomainState => ({
  domain,
  secretName: 'tls-wildcard.test.example.com',
  found,
  server: from,
})
const planAt = (atMs: number, found: FoundCertificate, before: Partial<IssuedCertificate> = {}, from = server) =>
  certificatePlan(
    [state(found, from)],
    [{ domain, secretName: 'tls-wildcard.test.example.com', observedGeneration: 1, ...before }],
    { server, generation: 1, nowMs: atMs },
  )
const at = (ms: number): string => formatTime(nowMs + ms)

describe('a certificate', () => {
  const ninety = held(nowMs, nowMs + 90 * dayMs)
  test.each<[string, boolean, ReturnType<typeof planAt>]>([
    ['that is not there is due', true, planAt(nowMs, missing)],
    ['that is for other names is due', true, planAt(nowMs, held(nowMs, nowMs + dayMs, ['a.test.example.com']))],
    ['that is new is not due', false, planAt(nowMs + 59 * dayMs, ninety)],
    ['two thirds of whose life are over is due', true, planAt(nowMs + 60 * dayMs, ninety)],
    ['of another authority than the issuer now names is due', true, planAt(nowMs, ninety, {}, 'https://staging')],
    [
      'that could not be got waits for its next attempt',
      false,
      planAt(nowMs, missing, { failures: 1, nextAttemptTime: at(1_000) }),
    ],
    ['is tried again when that has come', true, planAt(nowMs + 1_000, missing, { nextAttemptTime: at(1_000) })],
    [
      'is tried again when the issuer was changed',
      true,
      planAt(nowMs, missing, { nextAttemptTime: at(dayMs), observedGeneration: 0 }),
    ],
    [
      'that was got five times this week is left alone',
      false,
      planAt(nowMs, missing, { issuances: [-5, -4, -3, -2, -1].map(days => at(days * dayMs)) }),
    ],
    [
      'that was got four times this week is got',
      true,
      planAt(nowMs, missing, { issuances: [-4, -3, -2, -1].map(days => at(days * dayMs)) }),
    ],
    [
      'is got when what was noted is of a clock that went wrong',
      true,
      planAt(nowMs, missing, {
        nextAttemptTime: at(365 * dayMs),
        issuances: [1, 2, 3, 4, 5].map(days => at(days * dayMs)),
      }),
    ],
    [
      'that lives six days is renewed every four',
      true,
      planAt(nowMs, held(nowMs - 4 * dayMs, nowMs + 2 * dayMs), {
        issuances: [-20, -16, -12, -8, -4].map(days => at(days * dayMs)),
      }),
    ],
  ])('%s: %s', (_, isDue, { due }) => {
    expect(due).toEqual(isDue ? [domain] : [])
  })

  test('is looked at again when it is due', () => {
    expect(planAt(nowMs, ninety).lookAgainMs).toBe(60 * dayMs)
    expect(planAt(nowMs, missing, { nextAttemptTime: at(5_000) }).lookAgainMs).toBe(5_000)
    expect(planAt(nowMs, missing).lookAgainMs).toBeUndefined()
  })

  test('is told with its times', () => {
    expect(planAt(nowMs, ninety).certificates).toMatchObject([
      { notBefore: at(0), notAfter: at(90 * dayMs), renewalTime: at(60 * dayMs) },
    ])
  })

  test('whose hosts are gone is remembered by its limits', () => {
    const before = { domain, secretName: 'x', failures: 3, nextAttemptTime: at(dayMs) }
    const plan = certificatePlan([], [before, { domain: 'b.example.com', secretName: 'y' }], {
      server,
      generation: 1,
      nowMs,
    })
    expect(plan).toEqual({ certificates: [before], due: [], lookAgainMs: undefined })
  })
})

describe('after a failure', () => {
  test.each<[Failure['reason'], number, number | undefined, number]>([
    ['Refused', 1, undefined, hourMs / 4],
    ['Refused', 2, undefined, hourMs / 2],
    ['Refused', 40, undefined, dayMs],
    ['Unreachable', 1, undefined, 10_000],
    ['Unreachable', 40, undefined, hourMs],
    ['RateLimited', 1, undefined, hourMs],
    ['RateLimited', 1, 33 * hourMs, 33 * hourMs],
    ['RateLimited', 1, 10_000 * dayMs, 8 * dayMs],
    ['CommandFailed', 1, undefined, 60_000],
  ])('%s for the %i. time, asked for %s: %i ms', (reason, failures, retryAfterMs, wait) => {
    expect(waitMs({ reason, message: '', retryAfterMs }, failures)).toBe(wait)
  })
})

type Answer = 'gives' | 'loses' | Failure['reason']
const answers = fc.array(
  fc.record({
    answer: fc.constantFrom<Answer>('gives', 'loses', 'Refused', 'Unreachable', 'RateLimited', 'CommandFailed'),
    laterMs: fc.integer({ min: 0, max: 3 * dayMs }),
  }),
  { minLength: 1, maxLength: 60 },
)

/** A server that looks when it is told to, and at any other time, too: orders as the authority sees them. */
function history(steps: readonly { answer: Answer; laterMs: number }[], lifeMs: number) {
  const got: number[] = []
  const refused: number[] = []
  let clockMs = nowMs
  let found = missing
  let certificates: readonly IssuedCertificate[] = []
  for (const { answer, laterMs } of steps) {
    const plan = certificatePlan([state(found)], certificates, { server, generation: 1, nowMs: clockMs })
    certificates = plan.certificates
    if (plan.due.length > 0) {
      const [before] = certificates as [IssuedCertificate]
      if (answer === 'gives' || answer === 'loses') {
        got.push(clockMs)
        certificates = [afterSuccess(before, clockMs)]
        // Whoever has it taken away again.
        found = answer === 'loses' ? missing : held(clockMs, clockMs + lifeMs)
      } else {
        if (answer === 'Refused') refused.push(clockMs)
        certificates = [afterFailure(before, { reason: answer, message: 'no' }, clockMs)]
      }
    }
    clockMs += Math.max(1_000, laterMs)
  }
  return { got, refused }
}

const within = (times: readonly number[], spanMs: number): number =>
  Math.max(0, ...times.map(from => times.filter(time => time >= from && time < from + spanMs - 1_000).length))

test('whatever happens, the limits of the authority are kept', () => {
  fc.assert(
    fc.property(answers, steps => {
      const { got, refused } = history(steps, 90 * dayMs)
      expect(within(got, 7 * dayMs)).toBeLessThanOrEqual(issuancesInTurn)
      expect(within(refused, hourMs)).toBeLessThan(5)
    }),
  )
})

test('whatever was, there is a time at which something is due', () => {
  fc.assert(
    fc.property(answers, fc.integer({ min: hourMs, max: 90 * dayMs }), (steps, lifeMs) => {
      let found = missing
      let certificates: readonly IssuedCertificate[] = []
      let clockMs = nowMs
      for (const { answer } of steps) {
        const plan = certificatePlan([state(found)], certificates, { server, generation: 1, nowMs: clockMs })
        certificates = plan.certificates
        if (plan.due.length === 0) {
          expect(plan.lookAgainMs).toBeGreaterThan(0)
          clockMs += plan.lookAgainMs!
          continue
        }
        const [before] = certificates as [IssuedCertificate]
        const isGot = answer === 'gives' || answer === 'loses'
        if (answer === 'gives') found = held(clockMs, clockMs + lifeMs)
        certificates = [
          isGot ? afterSuccess(before, clockMs) : afterFailure(before, { reason: answer, message: 'no' }, clockMs),
        ]
      }
    }),
  )
})
