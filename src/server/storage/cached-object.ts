// One version of a stored object, kept once for everybody: its JSON bytes with the resourceVersion in
// them, and, while it is in use, the frozen parsed object. Immutable.
import type { KubeObject } from '../../api/object.ts'
import { parseExactJson } from '../../lib/exact-json.ts'
import { keepParsed } from './parsed-objects.ts'

type Labels = Readonly<Record<string, string>>

const noLabels: Labels = Object.freeze({})

export class CachedObject<T extends KubeObject = KubeObject> {
  /** `namespace/name` or `name`. */
  readonly key: string
  readonly revision: number
  used = false
  private encoded: Buffer | (() => Buffer)
  private parsed: T | undefined
  private knownLabels: Labels | undefined
  private knownFields: Record<string, string> | undefined

  /** @param bytes may be a function, which is called when they are wanted */
  constructor(key: string, revision: number, bytes: Buffer | (() => Buffer), parsed?: T) {
    this.key = key
    this.revision = revision
    this.encoded = bytes
    this.parsed = parsed
    if (parsed === undefined) return
    this.knownLabels = parsed.metadata.labels ?? noLabels
    keepParsed(this)
  }

  get bytes(): Buffer {
    if (typeof this.encoded === 'function') this.encoded = this.encoded()
    return this.encoded
  }

  /** Two reads may give two equal objects: the parsed form is let go when nobody used it lately. */
  get object(): T {
    if (this.parsed === undefined) {
      this.parsed = deepFreeze(parseExactJson(this.bytes.toString()) as T)
      keepParsed(this)
    } else this.used = true
    return this.parsed
  }

  /** What selectors look at is remembered, so that a list by label parses an object once at most. */
  get labels(): Labels {
    return (this.knownLabels ??= this.object.metadata.labels ?? noLabels)
  }

  /** The value of a selectable field. @param read must depend on nothing but `name` and the object */
  field(name: string, read: (object: T) => string): string {
    this.knownFields ??= {}
    return (this.knownFields[name] ??= read(this.object))
  }

  forget(): void {
    this.parsed = undefined
  }
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}
