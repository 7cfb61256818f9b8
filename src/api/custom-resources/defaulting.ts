// Fills in a schema's defaults and takes away nulls where null is not allowed, in a draft. Values that a
// default brings along are filled in too. Source of the rules: apiextensions-apiserver
// pkg/apiserver/schema/defaulting.
import { copyJson, isObject, setKey, type JsonObject } from '../patch/json-value.ts'
import { additionalOf, itemsOf, propertiesOf, type Schema } from './schema.ts'

export type Defaulter = (draft: unknown) => void

export function compileDefaulter(schema: Schema): Defaulter {
  let made: Defaulter | undefined
  return draft => {
    if (typeof draft === 'object' && draft !== null) (made ??= compile(schema))(draft)
  }
}

/** Gives what shall stand where `value` stood; undefined: nothing. */
type Slot = (value: unknown) => unknown

function slotOf(schema: Schema): Slot {
  const inner = compileDefaulter(schema)
  const nullable = schema.nullable === true
  const { default: given } = schema
  return value => {
    const missing = value === undefined || (value === null && !nullable)
    const settled = missing ? copyJson(given) : value
    inner(settled)
    return settled
  }
}

function compile(schema: Schema): Defaulter {
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const item = items && slotOf(items)
  const other = additional && slotOf(additional)
  const properties = new Map(propertiesOf(schema).map(([name, property]) => [name, slotOf(property)]))
  return draft => {
    if (Array.isArray(draft)) {
      if (item !== undefined) for (const [index, value] of draft.entries()) draft[index] = item(value) ?? null
    } else if (isObject(draft)) {
      for (const [name, slot] of properties) settle(draft, name, slot)
      if (other !== undefined)
        for (const name of Object.keys(draft)) if (!properties.has(name)) settle(draft, name, other)
    }
  }
}

function settle(draft: JsonObject, name: string, slot: Slot): void {
  const present = Object.hasOwn(draft, name)
  const before = present ? draft[name] : undefined
  const after = slot(before)
  if (after === undefined) {
    if (present) delete draft[name]
  } else if (after !== before) setKey(draft, name, after)
}
