// How a container ends, whoever ends it: the preStop hook, then the stop signal, then SIGKILL, all within the
// grace period.
import type { Container } from '../api/generated/models.ts'
import { RuntimeError } from '../cri/runtime.ts'
import type { Clock } from '../lib/clock.ts'
import { runHook, type ProbeTarget } from './probe-actions.ts'

export interface ContainerEnding {
  readonly target: ProbeTarget
  readonly clock: Clock
  readonly gracePeriodSeconds: number
  /** The hook's words; the container is stopped all the same. */
  readonly onHookFailed: (message: string) => void
  /** After the hook: what the stop signal may take at most. */
  readonly limitSeconds?: () => number
}

/** A hook that used everything up leaves two seconds, as the kubelet does. */
const leastSeconds = 2

export async function endContainer(ending: ContainerEnding): Promise<void> {
  const { target, clock, gracePeriodSeconds, limitSeconds } = ending
  const hook = preStopOf(target.container)
  let remaining = gracePeriodSeconds
  if (hook !== undefined && gracePeriodSeconds > 0) {
    const startMs = clock.now()
    await withinLimit(hook, ending).catch((error: Error) => ending.onHookFailed(error.message))
    remaining = Math.max(leastSeconds, gracePeriodSeconds - (clock.now() - startMs) / 1_000)
  }
  await target.runtime.stopContainer(target.containerId, Math.min(remaining, limitSeconds?.() ?? Infinity))
}

type Hook = NonNullable<ReturnType<typeof preStopOf>>

const preStopOf = ({ lifecycle }: Container) => lifecycle?.preStop

async function withinLimit(hook: Hook, { target, clock, gracePeriodSeconds }: ContainerEnding): Promise<void> {
  const limitMs = gracePeriodSeconds * 1_000
  const late = Promise.withResolvers<never>()
  const timer = clock.after(limitMs, () =>
    late.reject(new RuntimeError('Timeout', `did not end within ${gracePeriodSeconds}s`)),
  )
  const sleep = (milliseconds: number): Promise<void> =>
    new Promise(resolve => {
      clock.after(milliseconds, resolve)
    })
  await Promise.race([runHook(hook, target, limitMs, sleep), late.promise]).finally(() => timer.cancel())
}
