// A release: what runs of a service, as data, and how far the process that brings it there has come. It is recorded
// in the engine's ledger before anything is changed, and again before and after each step.
import type { LedgerEntry } from './engine/ledger.ts'
import type { Part, Place, Run } from './engine/parts.ts'
import type { ServiceNeed, Step } from './plan/step.ts'

/**
 * `pending`: under way, or nobody is behind it any more. `failed`: undone, what was there before is in place.
 * `deployed`: what runs. `superseded`: ran before that.
 */
export type ReleaseState = 'pending' | 'deployed' | 'failed' | 'superseded'

export interface Release extends Place {
  /** Counts up from 1 for each service in its namespace. */
  readonly revision: number
  readonly version: string
  readonly image: string
  readonly state: ReleaseState
  /** RFC 3339. */
  readonly at: string
  /** Who delivered it. */
  readonly by: string
  /** Why it failed. */
  readonly reason?: string
  /** Set by a rollback: the revision it went back to. */
  readonly rollbackTo?: number
  /** Releases that were delivered together have the same. */
  readonly group?: string
  /** It is being worked on; it is no release that one goes back to. */
  readonly development?: boolean
  /** Brought back what was there before somebody worked on it: the same as the release it went back to. */
  readonly endsDevelopment?: boolean
  /** What there is when it runs. */
  readonly parts: readonly Part[]
  /** Names of the bundles that its parts and needs name. */
  readonly bundles: readonly string[]
  readonly needs: readonly ServiceNeed[]
  readonly notify: readonly string[]
  /** The change of the schema that it brought. */
  readonly migration?: ReleaseMigration
  /** Revisions whose migrations the schema has when it runs, oldest first. */
  readonly schema: readonly number[]
  readonly steps: readonly Step[]
  readonly course: Course
}

export interface ReleaseMigration {
  readonly up: Run
  readonly down?: Run
  readonly version?: Run
  readonly irreversible: boolean
}

export interface Course {
  readonly direction: 'forward' | 'back'
  /** By the id of the step; one that is missing was not begun. */
  readonly steps: Readonly<Record<string, StepRecord>>
}

export interface StepRecord {
  readonly state: 'begun' | 'done' | 'undone'
  /** RFC 3339. */
  readonly at: string
  /** What its handler wants to know when it is undone. */
  readonly note?: unknown
}

/** A release as the ledger has it. */
export type RecordedRelease = LedgerEntry<Release>

/** What the planner says of a release; the rest is the business of who records it. */
export type PlannedRelease = Pick<
  Release,
  'version' | 'image' | 'parts' | 'bundles' | 'needs' | 'notify' | 'migration' | 'schema' | 'steps'
>

export const wasGood = ({ state }: Release): boolean => state === 'deployed' || state === 'superseded'

/** What scripts are told of a release. */
export const releaseFacts = ({ service, environment, namespace, revision, version, state }: Release): object => ({
  service,
  environment,
  namespace,
  revision,
  version,
  state,
})
