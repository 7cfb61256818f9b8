// JSON Patch (RFC 6902) as Kubernetes applies it: what is no patch is a bad request, what does not fit
// the object is a 422 without details.
import { ApiError, badRequest, requestEntityTooLarge } from '../api-error.ts'
import { deepEqual, isObject, setKey, type JsonObject } from './json-value.ts'

export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

const maximumOperations = 10_000
const doesNotFit = (): ApiError =>
  new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {})

function jsonKind(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
}

function checkOperations(operations: unknown): readonly JsonPatchOperation[] {
  if (!Array.isArray(operations))
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${jsonKind(operations)} into Go value of type []handlers.jsonPatchOp`,
    )
  if (operations.length > maximumOperations)
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${maximumOperations}, got ${operations.length}`,
    )
  for (const operation of operations as unknown[]) {
    if (!isObject(operation))
      throw badRequest(
        `error decoding patch: json: cannot unmarshal ${jsonKind(operation)} into Go value of type handlers.jsonPatchOp`,
      )
  }
  return operations as JsonPatchOperation[]
}

const knownFields = new Set(['op', 'path', 'from', 'value'])

/**
 * What is wrong with the form of a patch though it can be applied.
 * @param duplicates are paths of keys that occur twice: `[1].path`
 */
export function operationProblems(operations: unknown, duplicates: readonly string[]): string[] {
  if (!Array.isArray(operations)) return []
  return (operations as unknown[]).flatMap((operation, index) => [
    ...(isObject(operation) ? Object.keys(operation) : [])
      .filter(key => !knownFields.has(key))
      .map(key => `json patch unknown field "[${index}].${key}"`),
    ...duplicates.filter(path => path.startsWith(`[${index}].`)).map(path => `json patch duplicate field "${path}"`),
  ])
}

function pointer(path: unknown): string[] {
  if (path === '') return []
  if (typeof path !== 'string' || !path.startsWith('/')) throw doesNotFit()
  return path
    .slice(1)
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function listIndex(list: readonly unknown[], key: string, end: number): number {
  if (!/^(?:0|-?[1-9]\d*)$/.test(key)) throw doesNotFit()
  const index = Number(key) < 0 ? Number(key) + list.length : Number(key)
  if (index < 0 || index > end) throw doesNotFit()
  return index
}

function read(target: unknown, path: readonly string[]): unknown {
  let value = target
  for (const key of path) {
    if (Array.isArray(value)) value = value[listIndex(value, key, value.length - 1)]
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key]
    else throw doesNotFit()
  }
  return value
}

type Change = (container: JsonObject | unknown[], key: string) => void

/** Copies the containers along the path and lets `change` loose on the last one. */
function rewrite(target: unknown, path: readonly string[], change: Change, depth = 0): unknown {
  const key = path[depth]!
  const last = depth === path.length - 1
  if (Array.isArray(target)) {
    const copy: unknown[] = [...target]
    if (last) change(copy, key)
    else {
      const index = listIndex(copy, key, copy.length - 1)
      copy[index] = rewrite(copy[index], path, change, depth + 1)
    }
    return copy
  }
  if (!isObject(target)) throw doesNotFit()
  const copy = { ...target }
  if (last) change(copy, key)
  else {
    if (!Object.hasOwn(copy, key)) throw doesNotFit()
    setKey(copy, key, rewrite(copy[key], path, change, depth + 1))
  }
  return copy
}

function add(target: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value
  return rewrite(target, path, (container, key) => {
    if (Array.isArray(container))
      container.splice(key === '-' ? container.length : listIndex(container, key, container.length), 0, value)
    else setKey(container, key, value)
  })
}

function remove(target: unknown, path: readonly string[]): unknown {
  if (path.length === 0) throw doesNotFit()
  return rewrite(target, path, (container, key) => {
    if (Array.isArray(container)) container.splice(listIndex(container, key, container.length - 1), 1)
    else if (Object.hasOwn(container, key)) delete container[key]
    else throw doesNotFit()
  })
}

function replace(target: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value
  return rewrite(target, path, (container, key) => {
    if (Array.isArray(container)) container[listIndex(container, key, container.length - 1)] = value
    else if (Object.hasOwn(container, key)) setKey(container, key, value)
    else throw doesNotFit()
  })
}

/** A value that is not there equals null, as in Kubernetes' library. */
function test(target: unknown, path: readonly string[], value: unknown): void {
  const found = path.length === 0 ? target : readOrNull(target, path)
  if (!deepEqual(found ?? null, value ?? null)) throw doesNotFit()
}

function readOrNull(target: unknown, path: readonly string[]): unknown {
  const container = read(target, path.slice(0, -1))
  const key = path.at(-1)!
  if (isObject(container) && !Object.hasOwn(container, key)) return null
  return read(container, [key])
}

function applyOperation(target: unknown, operation: JsonPatchOperation): unknown {
  const path = pointer(operation.path)
  switch (operation.op) {
    case 'add':
      return add(target, path, operation.value ?? null)
    case 'remove':
      return remove(target, path)
    case 'replace':
      return replace(target, path, operation.value ?? null)
    case 'copy':
      return add(target, path, read(target, pointer(operation.from)))
    case 'move': {
      const from = pointer(operation.from)
      if (path.length > from.length && from.every((part, index) => part === path[index])) throw doesNotFit()
      return add(remove(target, from), path, read(target, from))
    }
    case 'test':
      test(target, path, operation.value)
      return target
    default:
      throw doesNotFit()
  }
}

/** The patched value; `target` and `operations` stay as they are (parts may be shared). */
export function applyJsonPatch(target: unknown, operations: unknown): unknown {
  let patched = target
  for (const operation of checkOperations(operations)) patched = applyOperation(patched, operation)
  return patched
}
