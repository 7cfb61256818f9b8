// How long a cause has been in the way of a wait, and what follows from that: after a while it is told, and where waiting
// alone will not mend it, the wait has certainly failed. What is said of one cause changes with every attempt (names of
// pods, counts of nodes), so causes of one kind are one, whatever their words. Pure.
import type { Standstill } from './standstill.ts'

export interface StandingCause {
  /** As it was said last. */
  readonly cause: Standstill
  readonly sinceMs: number
  /** With the same patience: a refusal that may pass can become one that does not. */
  readonly certainSinceMs: number
  readonly told: boolean
  readonly certain: boolean
}

export interface StandingPlan {
  /** What there is to remember. */
  readonly standing: StandingCause | undefined
  /** It is to be told now. Once for each cause. */
  readonly tell: boolean
  /** The wait has failed now. Once for each cause. */
  readonly fail: boolean
  /** When to look again, even if nothing changes. */
  readonly againInMs?: number
}

const toldAfterMs = 10_000

export function planStanding(
  before: StandingCause | undefined,
  cause: Standstill | undefined,
  nowMs: number,
): StandingPlan {
  if (cause === undefined) return { standing: undefined, tell: false, fail: false }
  const { sinceMs, certainSinceMs, told, certain } = standingOf(before, cause, nowMs)
  const tellInMs = told ? Infinity : sinceMs + toldAfterMs - nowMs
  const failInMs = certain ? Infinity : certainSinceMs + (cause.certainAfterMs ?? Infinity) - nowMs
  const [tell, fail] = [tellInMs <= 0, failInMs <= 0]
  const againInMs = Math.min(...[tellInMs, failInMs].filter(inMs => inMs > 0))
  return {
    standing: { cause, sinceMs, certainSinceMs, told: told || tell, certain: certain || fail },
    tell,
    fail,
    ...(againInMs < Infinity && { againInMs }),
  }
}

function standingOf(before: StandingCause | undefined, cause: Standstill, nowMs: number): StandingCause {
  if (before === undefined || before.cause.kind !== cause.kind)
    return { cause, sinceMs: nowMs, certainSinceMs: nowMs, told: false, certain: false }
  if (before.cause.certainAfterMs === cause.certainAfterMs) return { ...before, cause }
  return { ...before, cause, certainSinceMs: nowMs, certain: false }
}
