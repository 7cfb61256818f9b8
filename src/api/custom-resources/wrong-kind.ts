// What is told of an object that says to be of another kind than the custom resource it is sent to: its validation
// begins with that, while other objects cannot even be decoded then.
import { invalid, type ApiError } from '../api-error.ts'
import { invalidValue } from '../field-error.ts'
import { isObject, type JsonObject } from '../patch/json-value.ts'
import type { Resource } from '../resource.ts'

export function wrongCustomKind({ group, kind }: Resource, { metadata }: JsonObject, given: string): ApiError {
  const name = isObject(metadata) && typeof metadata.name === 'string' ? metadata.name : ''
  return invalid(group, kind, name, [invalidValue('kind', given, `must be ${kind}`)])
}
