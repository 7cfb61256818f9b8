// A rule for a name, and whose it is: what routes of each kind become before they are put into their order. Pure.
import { keyOf, type KubeObject } from '../../api/object.ts'
import type { WantedBackend } from './backends.ts'
import type { HostName, Rule } from './model.ts'

export interface HostRule {
  readonly name: HostName
  readonly rule: Rule
  /** That the rule leads to. */
  readonly backends: readonly WantedBackend[]
  /** Whose it is; of two that take the same requests, that of the older one does. */
  readonly from: KubeObject
  /** Plain requests are sent to where TLS is. */
  readonly wantsTls?: boolean
}

/** Something that does not work as it is written. */
export interface Problem {
  /** `Ingress shop/web` */
  readonly owner: string
  /** One word, as events have it. */
  readonly reason: string
  readonly message: string
}

/** As problems and rules name it. */
export const ownerOf = (object: KubeObject): string => `${object.kind} ${keyOf(object)}`
