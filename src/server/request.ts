// Who asks for what: the part of a request that operations need, whatever transport it came by.
import type { KindDefinition } from '../api/kind.ts'
import type { ObjectName } from '../api/object.ts'

export interface UserInfo {
  readonly username: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** Common to all verbs. */
export interface Caller {
  readonly user: UserInfo
  /** First part of the user agent unless the client names a manager. */
  readonly fieldManager: string
  readonly fieldValidation: FieldValidation
  readonly dryRun: boolean
  /** What of this the client itself said; missing when it said nothing. */
  readonly given?: { readonly fieldManager?: string; readonly fieldValidation?: string }
  /** Collects texts for the Warning header. */
  readonly warnings: string[]
  /** Adds to the request's events in the audit log; missing when they are not written. */
  readonly annotate?: (key: string, value: string) => void
}

export interface Target extends ObjectName {
  readonly kind: KindDefinition
  readonly subresource?: string | undefined
}

export const keyOfTarget = ({ namespace, name }: ObjectName): string =>
  namespace === undefined || namespace === '' ? name : `${namespace}/${name}`
