// Who goes first where two objects ask for the same: the older one, then the one whose name is first. Pure.
// Source: Gateway API, guidelines on conflicts.
import { keyOf, type KubeObject } from '../../api/object.ts'

/** Negative: `left` goes first. */
export function compareAges(left: Pick<KubeObject, 'metadata'>, right: Pick<KubeObject, 'metadata'>): number {
  return (
    compareTexts(left.metadata.creationTimestamp, right.metadata.creationTimestamp) ||
    compareTexts(keyOf(left), keyOf(right))
  )
}

const compareTexts = (left: string, right: string): number => (left < right ? -1 : Number(left > right))
