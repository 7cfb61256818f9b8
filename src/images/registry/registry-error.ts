// What clients are told when something does not go: a status, one of the specification's codes, and a sentence.
// Source: OCI distribution specification 1.1, "Error Codes".

export type ErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED'
  /** For faults of the registry, whose codes the specification leaves open. */
  | 'UNKNOWN'

export class RegistryError extends Error {
  readonly status: number
  readonly code: ErrorCode
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: ErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'RegistryError'
    this.status = status
    this.code = code
    this.headers = headers
  }
}

export const unsupported = (method: string | undefined, what: string): RegistryError =>
  new RegistryError(405, 'UNSUPPORTED', `${method} is not supported on ${what}`)

export const badDigest = (found: string): RegistryError =>
  new RegistryError(
    400,
    'DIGEST_INVALID',
    `expected sha256: and 64 hexadecimal digits, or sha512: and 128, found "${found.slice(0, 200)}"`,
  )
