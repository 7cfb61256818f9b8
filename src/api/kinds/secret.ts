// Secret: like a ConfigMap, with base64 values and a type that may demand keys.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required, tooLong } from '../field-error.ts'
import type { Secret } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { secrets } from '../resources.ts'
import { validateImmutable } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { dataLimitBytes, decodedLength, validateFrozen, validateKey } from './config-map.ts'

export const secretKind = defineKind({
  resource: secrets,
  model: 'V1Secret',
  singular: 'secret',
  defaults(draft) {
    draft.type ||= 'Opaque'
    const texts = Object.entries(draft.stringData ?? {})
    if (texts.length > 0)
      draft.data = { ...draft.data, ...Object.fromEntries(texts.map(([key, text]) => [key, encodeBase64(text)])) }
    delete draft.stringData
  },
  prepareForUpdate(draft, old) {
    if (!draft.type) draft.type = old.type
  },
  validate,
  validateUpdate: (secret, old) =>
    joinErrors(
      validateImmutable(secret.type, old.type, 'type'),
      validateFrozen(secret, old, ['data']),
      validate(secret),
    ),
  columns: columns('Name', 'Type', 'Data', 'Age'),
  row: (secret, nowMs) => [
    secret.metadata.name,
    secret.type ?? '',
    Object.keys(secret.data ?? {}).length,
    age(secret, nowMs),
  ],
  selectableFields: {
    type: secret => secret.type ?? '',
  },
})

function validate(secret: Secret): FieldError[] {
  const entries = Object.entries(secret.data ?? {})
  const sizeBytes = entries.reduce((sum, [, value]) => sum + decodedLength(value), 0)
  return joinErrors(
    entries.flatMap(([key]) => validateKey(key, 'data')),
    sizeBytes > dataLimitBytes ? [tooLong('data', dataLimitBytes)] : [],
    validateType(secret),
  )
}

function validateType({ type, data = {}, metadata }: Secret): FieldError[] {
  const missing = (...keys: readonly string[]): FieldError[] =>
    keys.filter(key => !(key in data)).map(key => required(`data[${key}]`))
  switch (type) {
    case 'kubernetes.io/service-account-token': {
      const field = 'metadata.annotations[kubernetes.io/service-account.name]'
      return metadata.annotations?.['kubernetes.io/service-account.name'] ? [] : [required(field)]
    }
    case 'kubernetes.io/dockercfg':
      return missing('.dockercfg')
    case 'kubernetes.io/dockerconfigjson':
      return missing('.dockerconfigjson')
    case 'kubernetes.io/basic-auth':
      return 'username' in data || 'password' in data ? [] : [required('data[username]'), required('data[password]')]
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')]
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key')
    case undefined:
    default:
      return type === '' ? [invalidValue('type', '', 'may not be empty')] : []
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 of the UTF-8 form, without the platform: this layer is pure. */
function encodeBase64(text: string): string {
  const bytes = Array.from(encodeURIComponent(text.toWellFormed()).matchAll(/%(..)|./g), ([whole, hex]) =>
    hex === undefined ? whole.charCodeAt(0) : Number.parseInt(hex, 16),
  )
  let encoded = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const group = (bytes[index]! << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
    for (let digit = 0; digit < 4; digit++)
      encoded += index + digit > bytes.length ? '=' : alphabet[(group >> (18 - 6 * digit)) & 63]
  }
  return encoded
}
