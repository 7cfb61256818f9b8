// What runs while a service is worked on goes, and what was there before comes back: the release before, or nothing.
import { deleteService } from './delete-service.ts'
import type { DeliveryOptions } from './delivering.ts'
import { rollback } from './deploy.ts'
import type { Place } from './engine/parts.ts'
import { releaseBefore, situationOf } from './history.ts'

export type DevelopmentEnd =
  /** Nobody worked on it. */
  | { readonly state: 'nothing' }
  | { readonly state: 'back'; readonly revision: number; readonly version: string }
  /** Workloads whose data stays. */
  | { readonly state: 'gone'; readonly kept: readonly string[] }

export async function endDevelopment(place: Place, options: DeliveryOptions): Promise<DevelopmentEnd> {
  const situation = await situationOf(options.engine, place)
  const ofDevelopment = (release: { readonly development?: boolean } | undefined): boolean =>
    release?.development === true
  if (!ofDevelopment(situation.present) && !ofDevelopment(situation.pending?.content)) return { state: 'nothing' }
  const before = releaseBefore(situation)
  if (before === undefined) {
    const { kept } = await deleteService(place, false, options)
    return { state: 'gone', kept }
  }
  if (ofDevelopment(situation.present)) await rollback({ place, revision: before.revision, keepSchema: false }, options)
  else await rollback({ place, keepSchema: false }, options)
  return { state: 'back', revision: before.revision, version: before.version }
}
