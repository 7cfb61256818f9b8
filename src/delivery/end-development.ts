// What runs while a service is worked on goes, and what was there before comes back: the release before, or nothing.
import { deleteService } from './delete-service.ts'
import type { DeliveryOptions } from './delivering.ts'
import { rollback } from './deploy.ts'
import type { Place } from './engine/parts.ts'
import { isWorkedOn, releaseBefore, situationOf } from './history.ts'
import type { Release } from './release.ts'

export type DevelopmentEnd =
  /** Nobody worked on it by then; what runs instead, if anything does. */
  | { readonly state: 'untouched'; readonly present: Release | undefined }
  | { readonly state: 'back'; readonly revision: number; readonly version: string }
  /** Workloads whose data stays. */
  | { readonly state: 'gone'; readonly kept: readonly string[] }

export async function endDevelopment(place: Place, options: DeliveryOptions): Promise<DevelopmentEnd> {
  const situation = await situationOf(options.engine, place)
  const { present, pending, releases } = situation
  const isLeft =
    present === undefined
      ? releases.length > 0 && releases.every(({ content }) => isWorkedOn(content))
      : isWorkedOn(present)
  if (!isLeft && !isWorkedOn(pending?.content)) return { state: 'untouched', present }
  const before = releaseBefore(situation)
  if (before === undefined) {
    const { kept } = await deleteService(place, false, options)
    return { state: 'gone', kept }
  }
  if (isWorkedOn(present)) await rollback({ place, revision: before.revision, keepSchema: false }, options)
  else await rollback({ place, keepSchema: false }, options)
  return { state: 'back', revision: before.revision, version: before.version }
}
