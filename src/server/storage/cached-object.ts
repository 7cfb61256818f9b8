// One version of a stored object, kept once for everybody: its JSON bytes with the resourceVersion in
// them, and, on first demand, the frozen parsed object. Immutable.
import type { KubeObject } from '../../api/object.ts'

export class CachedObject<T extends KubeObject = KubeObject> {
  /** `namespace/name` or `name`. */
  readonly key: string
  readonly revision: number
  readonly bytes: Buffer
  private parsed: T | undefined

  constructor(key: string, revision: number, bytes: Buffer, parsed?: T) {
    this.key = key
    this.revision = revision
    this.bytes = bytes
    this.parsed = parsed
  }

  get object(): T {
    return (this.parsed ??= deepFreeze(JSON.parse(this.bytes.toString()) as T))
  }
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}
