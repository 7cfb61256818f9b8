// JSON Merge Patch (RFC 7386): maps merge, null removes, everything else replaces.
import { badRequest } from '../api-error.ts'
import { getKey, isObject, setKey, type JsonObject } from './json-value.ts'

export function applyMergePatch(target: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) {
    const kind = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`,
    )
  }
  return merge(target, patch)
}

function merge(target: unknown, patch: JsonObject): JsonObject {
  const merged: JsonObject = isObject(target) ? { ...target } : {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) delete merged[key]
    else setKey(merged, key, isObject(value) ? merge(getKey(merged, key), value) : value)
  }
  return merged
}
