// Waits for what a controller says of an object in its status. What is refused may be taken a moment later, when all that
// it refers to has been seen.
import type { KubeObject, ObjectName } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import type { LiveOptions } from './live-list.ts'
import { liveUntil } from './live-until.ts'

const limitMs = 15_000
const secondThoughtMs = 3_000

interface Standing {
  readonly state: string
}

interface Settled<T extends KubeObject, Said extends Standing> {
  readonly resource: Resource<T>
  readonly name: ObjectName
  readonly standingOf: (object: T) => Said
  /** Any of these is fine. */
  readonly good: readonly Said['state'][]
}

type Lost = { readonly state: 'open' } | { readonly state: 'refused'; readonly reason: string }

/** @returns what was said last; `open`: nothing, or it is not to be seen */
export async function untilSettled<T extends KubeObject, Said extends Standing>(
  live: LiveOptions,
  { resource, name: { namespace = '', name }, standingOf, good }: Settled<T, Said>,
): Promise<Said | Lost> {
  let last: Said | Lost = { state: 'open' }
  const until = (withinMs: number, states: readonly string[]): Promise<true | undefined> =>
    liveUntil<T, true>(live, { resource, namespace, fieldSelector: `metadata.name=${name}` }, withinMs, ([object]) => {
      last = object === undefined ? { state: 'refused', reason: 'it was deleted meanwhile' } : standingOf(object)
      return states.includes(last.state) ? true : undefined
    })
  await until(limitMs, [...good, 'refused'])
  if (standing().state === 'refused') await until(secondThoughtMs, good)
  live.signal.throwIfAborted()
  return standing()

  function standing(): Said | Lost {
    return last
  }
}
