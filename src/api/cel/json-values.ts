// JSON as values: by the schema where there is one, else by what it looks like. Nothing is copied; parts are
// converted when an expression reads them.
import { base64ErrorAt, decodeBase64 } from '../../lib/text.ts'
import { EvaluationError } from './cel-error.ts'
import { parseDate, parseDuration, parseTimestamp } from './library/time.ts'
import type { SchemaType } from './schema-type.ts'
import { CelList, CelObject, type Value } from './values.ts'

/** Throws EvaluationError where JSON does not fit its schema. */
export function fromJson(json: unknown, schema?: SchemaType): Value {
  switch (typeof json) {
    case 'boolean':
      return json
    case 'bigint':
      return schema?.type.kind === 'double' ? Number(json) : json
    case 'number':
      return schema?.type.kind === 'double' || !Number.isInteger(json) ? json : BigInt(json)
    case 'string':
      return schema === undefined ? json : textValue(json, schema)
    case 'object':
      break
    default:
      return null
  }
  if (json === null) return null
  if (Array.isArray(json)) return new CelList(() => json.map(item => fromJson(item, schema?.element)), schema?.list)
  return objectValue(json as Readonly<Record<string, unknown>>, schema)
}

function textValue(text: string, { type }: SchemaType): Value {
  switch (type.kind) {
    case 'bytes':
      return base64ErrorAt(text) === -1 ? decodeBase64(text) : refuse(`illegal base64 data in ${JSON.stringify(text)}`)
    case 'duration':
      return parseDuration(text) ?? refuse(`time: invalid duration ${JSON.stringify(text)}`)
    case 'timestamp':
      return (
        parseTimestamp(text) ??
        parseDate(text) ??
        refuse(`parsing time ${JSON.stringify(text)}: not a time of RFC 3339`)
      )
    default:
      return text
  }
}

function refuse(problem: string): never {
  throw new EvaluationError(problem)
}

function objectValue(json: Readonly<Record<string, unknown>>, schema: SchemaType | undefined): CelObject {
  const fields = schema?.fields
  if (fields === undefined) {
    const own = (name: string): Value | undefined =>
      Object.hasOwn(json, name) && json[name] !== undefined ? fromJson(json[name], schema?.element) : undefined
    return new CelObject({
      typeName: 'map',
      json,
      isMap: true,
      convert: own,
      names: () => Object.keys(json).filter(key => json[key] !== undefined),
    })
  }
  return new CelObject({
    typeName: 'object',
    json,
    isMap: false,
    convert(name) {
      const field = fields.get(name)
      return field === undefined || !Object.hasOwn(json, field.name) || json[field.name] === undefined
        ? undefined
        : fromJson(json[field.name], field.schema)
    },
    names: () => [...fields].filter(([, { name }]) => Object.hasOwn(json, name)).map(([name]) => name),
  })
}
