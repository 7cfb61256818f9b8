// Waits until objects are as they are to be, for so long and no longer.
import type { KubeObject } from '../../../api/object.ts'
import { keepLive, type LiveOptions, type LiveQuery } from './live-list.ts'
import { ifPermitted } from './permitted.ts'

/** @returns the answer that ended it; undefined: the time was over, or they are not to be seen */
export async function liveUntil<T extends KubeObject, Answer>(
  { client, clock, signal }: LiveOptions,
  query: LiveQuery<T>,
  limitMs: number,
  look: (objects: readonly T[]) => Answer | undefined,
): Promise<Answer | undefined> {
  const over = new AbortController()
  const timer = clock.after(limitMs, () => over.abort())
  let answer: Answer | undefined
  try {
    await ifPermitted(
      keepLive<T>({ client, clock, signal: AbortSignal.any([signal, over.signal]) }, query, objects => {
        answer = look(objects)
        if (answer !== undefined) over.abort()
      }),
    )
    return answer
  } finally {
    timer.cancel()
  }
}
