// Values back into JSON, as Kubernetes writes them into patches and messages.
import { exactInteger } from '../../lib/int64.ts'
import { encodeBase64 } from '../../lib/text.ts'
import { EvaluationError } from './cel-error.ts'
import { formatDuration, formatTimestamp } from './library/time.ts'
import {
  CelList,
  CelMap,
  CelObject,
  Duration,
  mapEntries,
  Optional,
  Timestamp,
  typeNameOf,
  UnsignedInteger,
  type Value,
} from './values.ts'
import { visit } from './work.ts'

/** Throws EvaluationError for what JSON cannot express. */
export function toJson(value: Value): unknown {
  visit()
  switch (typeof value) {
    case 'bigint':
      return exactInteger(value)
    case 'string':
    case 'number':
    case 'boolean':
      return value
    default:
      break
  }
  if (value === null) return null
  if (value instanceof CelList) return value.items.map(toJson)
  if (value instanceof CelObject)
    return Object.fromEntries(value.names().map(name => [name, toJson(value.get(name) ?? null)]))
  if (value instanceof CelMap)
    return Object.fromEntries([...mapEntries(value)].map(entry => [textKey(entry.key), toJson(entry.value)]))
  if (value instanceof UnsignedInteger) return exactInteger(value.value)
  if (value instanceof Uint8Array) return encodeBase64(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Optional && value.value !== undefined) return toJson(value.value)
  throw new EvaluationError(`cannot convert ${typeNameOf(value)} to JSON`)
}

function textKey(key: Value): string {
  if (typeof key === 'string') return key
  throw new EvaluationError(`keys of JSON objects must be strings, but one is ${typeNameOf(key)}`)
}
