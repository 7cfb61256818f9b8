// What expressions of mutating policies can make: parts of the object that is written
// (`Object{spec: Object.spec{replicas: 3}}`) and operations of a JSON Patch (`JSONPatch{op: "add", ...}`).
import type { Environment } from './environment.ts'
import { overload } from './functions.ts'
import { toJson } from './to-json.ts'
import { dyn, listOf, objectType, string, type CelType } from './types.ts'
import { CelObject, type Value } from './values.ts'

/** Which fields a part has is only known when the patch is applied. */
const partType = (name: string): CelType => ({ kind: 'object', name, fieldType: () => dyn })
const operation = objectType('JSONPatch', { op: string, path: string, from: string, value: dyn })

export const wholeObject = partType('Object')
export const jsonPatchList = listOf(operation)

const isPart = (name: string): boolean => name === 'Object' || name.startsWith('Object.')

function make(typeName: string, fields: ReadonlyMap<string, Value>): CelObject {
  const json = Object.fromEntries([...fields].map(([name, value]) => [name, toJson(value)]))
  return new CelObject({
    typeName,
    json,
    isMap: false,
    convert: name => fields.get(name),
    names: () => [...fields.keys()],
  })
}

export const mutationExtension: Pick<Environment, 'structs' | 'functions'> = {
  structs: { typeOf: name => (name === 'JSONPatch' ? operation : isPart(name) ? partType(name) : undefined), make },
  functions: [
    overload('jsonpatch.escapeKey(string): string', (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')),
  ],
}

/** A part that stands in a field of another name; undefined when all stand where their types say. */
export function misplacedPart(object: CelObject, expected = 'Object'): string | undefined {
  if (object.typeName !== expected)
    return `type mismatch: unexpected type name ${JSON.stringify(object.typeName)}, expected ${JSON.stringify(expected)}, which matches field name path from root Object type`
  for (const name of object.names()) {
    const value = object.get(name)
    const problem = value instanceof CelObject && !value.isMap ? misplacedPart(value, `${expected}.${name}`) : undefined
    if (problem !== undefined) return problem
  }
  return undefined
}
