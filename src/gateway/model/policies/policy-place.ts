// What policies can be for, and the question that is asked of all of them. Pure.
import type { KubeObject } from '../../../api/object.ts'
import type { Policing } from '../policing.ts'

/** An object that policies can be for, or a part of one. */
export interface PolicyPlace {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** A listener of a Gateway, or a rule of a route. */
  readonly section?: string
}

export interface PolicyLookup {
  /** @param places from the outer to the inner one @returns what is asked for there, in that order */
  readonly of: (places: readonly PolicyPlace[]) => readonly Policing[]
}

/** An object, and a part of it: what is for all of it and what is for the part. */
export const placesOf = ({ kind, metadata }: KubeObject, section?: string): readonly PolicyPlace[] => {
  const whole = { kind, namespace: metadata.namespace ?? '', name: metadata.name }
  return section === undefined ? [whole] : [whole, { ...whole, section }]
}
