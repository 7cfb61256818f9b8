// What all parts of an import share. Pure.
import type { ParentReference } from '../../api/gateway-api/types.ts'
import type { Names } from './names.ts'
import type { Report } from './report.ts'

export interface ImportContext {
  readonly namespace: string
  readonly parent: ParentReference
  readonly names: Names
  readonly report: Report
}

/** An object as it is written down, before a cluster has it. */
export type Written<T extends { readonly spec: unknown }> = Omit<T, 'metadata'> & {
  readonly metadata: { readonly name: string; readonly namespace: string }
}
