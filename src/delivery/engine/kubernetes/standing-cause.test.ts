// What stands in the way for how long: what is told, and when a wait has certainly failed.
import { expect, test } from 'vitest'
import { planStanding, type StandingCause } from './standing-cause.ts'
import type { Standstill } from './standstill.ts'

const cause = (kind: Standstill['kind'], certainAfterMs?: number, reason = 'why'): Standstill => ({
  kind,
  reason,
  ...(certainAfterMs !== undefined && { certainAfterMs }),
})
const [full, denied, passing] = [cause('refused', 60_000), cause('refused', 3_000), cause('refused')]
const [noNode, crashed] = [cause('no node', 60_000), cause('ended')]

/** What happens when these causes are found, and each time that was asked for is looked at. */
function followed(found: readonly (readonly [atSeconds: number, cause: Standstill | undefined])[]): string[] {
  const happened: string[] = []
  let standing: StandingCause | undefined
  for (const [index, [atSeconds, seen]] of found.entries()) {
    const untilMs = (found[index + 1]?.[0] ?? 300) * 1000
    for (let nowMs: number | undefined = atSeconds * 1000; nowMs !== undefined && nowMs < untilMs;) {
      const plan = planStanding(standing, seen, nowMs)
      standing = plan.standing
      if (plan.tell) happened.push(`${nowMs / 1000}: told`)
      if (plan.fail) happened.push(`${nowMs / 1000}: failed`)
      expect(plan.againInMs ?? 1).toBeGreaterThan(0)
      nowMs = plan.againInMs === undefined ? undefined : nowMs + plan.againInMs
    }
  }
  return happened
}

test.each<[string, readonly (readonly [number, Standstill | undefined])[], string[]]>([
  ['nothing is in the way', [[0, undefined]], []],
  ['what may pass is told and never certain', [[0, crashed]], ['10: told']],
  ['what does not pass fails, before it would be told', [[0, denied]], ['3: failed', '10: told']],
  ['what others may free fails after a minute', [[5, full]], ['15: told', '65: failed']],
  [
    'one kind is one cause, whatever it says',
    [
      [0, noNode],
      [30, cause('no node', 60_000, 'another pod')],
    ],
    ['10: told', '60: failed'],
  ],
  [
    'another kind begins anew',
    [
      [0, noNode],
      [30, full],
    ],
    ['10: told', '40: told', '90: failed'],
  ],
  [
    'what was gone in between begins anew',
    [
      [0, noNode],
      [59, undefined],
      [60, noNode],
    ],
    ['10: told', '70: told', '120: failed'],
  ],
  [
    'a refusal that may pass becomes one that does not',
    [
      [0, passing],
      [20, denied],
    ],
    ['10: told', '23: failed'],
  ],
  [
    'a refusal that is certain becomes one that may pass',
    [
      [0, denied],
      [2, passing],
    ],
    ['10: told'],
  ],
])('%s', (_what, found, happened) => {
  expect(followed(found)).toEqual(happened)
})

test('the words are the newest', () => {
  const first = planStanding(undefined, noNode, 0).standing
  expect(planStanding(first, cause('no node', 60_000, 'newest'), 1).standing?.cause.reason).toBe('newest')
})
