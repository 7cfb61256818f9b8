// What a client is told whose patch makes an object that is none: a 422 about `patch`, without kind and name,
// that shows the patched object as JSON, or a strategic merge patch as Go prints maps
// (apiserver pkg/endpoints/handlers/patch.go).
import { invalid, type ApiError } from '../api-error.ts'
import { invalidValue } from '../field-error.ts'
import type { DecodeError } from '../scalars.ts'
import { isObject } from './json-value.ts'

const refusal = (shown: string, problem: string): ApiError =>
  invalid('', '', '', [invalidValue('patch', shown, problem)])

/** @param patched is what the JSON patch or merge patch made of the object */
export const refusePatchedObject = (patched: unknown, { problem }: Pick<DecodeError, 'problem'>): ApiError =>
  refusal(JSON.stringify(patched), problem)

export const refuseStrategicPatch = (patch: unknown, { conversion }: Pick<DecodeError, 'conversion'>): ApiError =>
  refusal(formatGo(patch), conversion)

/** `map[data:map[a:1] list:[x <nil>]]`, as `%+v` has it. */
function formatGo(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(formatGo).join(' ')}]`
  if (isObject(value))
    return `map[${Object.keys(value)
      .sort()
      .map(key => `${key}:${formatGo(value[key])}`)
      .join(' ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value)
}
