// ConfigMap: text and binary data under keys, at most 1 MiB together.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, tooLong } from '../field-error.ts'
import type { ConfigMap } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { configMaps } from '../resources.ts'
import { checkConfigKey } from '../validation/formats.ts'
import { utf8Length } from '../validation/object-meta.ts'
import { sameJson } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'

export const dataLimitBytes = 1024 * 1024

export const configMapKind = defineKind({
  resource: configMaps,
  model: 'V1ConfigMap',
  singular: 'configmap',
  shortNames: ['cm'],
  validate,
  validateUpdate: (configMap, old) =>
    joinErrors(validate(configMap), validateFrozen(configMap, old, ['data', 'binaryData'])),
  columns: columns('Name', 'Data', 'Age'),
  row: (configMap, nowMs) => [
    configMap.metadata.name,
    Object.keys(configMap.data ?? {}).length + Object.keys(configMap.binaryData ?? {}).length,
    age(configMap, nowMs),
  ],
})

function validate({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const texts = Object.entries(data)
  const binaries = Object.entries(binaryData)
  const sizeBytes =
    texts.reduce((sum, [, text]) => sum + utf8Length(text), 0) +
    binaries.reduce((sum, [, encoded]) => sum + decodedLength(encoded), 0)
  return joinErrors(
    texts.flatMap(([key]) =>
      validateKey(key, 'data').concat(
        key in binaryData ? [invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')] : [],
      ),
    ),
    binaries.flatMap(([key]) => validateKey(key, 'binaryData')),
    sizeBytes > dataLimitBytes ? [tooLong('[]', dataLimitBytes)] : [],
  )
}

export const validateKey = (key: string, field: string): FieldError[] =>
  checkConfigKey(key).map(found => invalidValue(`${field}[${key}]`, key, found))

/** Bytes behind a base64 text. */
export const decodedLength = (encoded: string): number => Math.floor((encoded.replace(/=+$/, '').length * 3) / 4)

interface Freezable {
  immutable?: boolean
}

/** Once `immutable` is set, it and the data stay (ConfigMap and Secret). */
export function validateFrozen<T extends Freezable>(
  object: T,
  old: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return []
  const why = 'field is immutable when `immutable` is set'
  return joinErrors(
    object.immutable === true ? [] : [forbiddenField('immutable', why)],
    fields.filter(field => !sameJson(object[field] ?? {}, old[field] ?? {})).map(field => forbiddenField(field, why)),
  )
}
