// Digests that the registry keeps content under: sha256 and sha512, the two that OCI registers. The hexadecimal part
// alone tells which, so files can be named after it.
import { createHash, type Hash } from 'node:crypto'

export type Algorithm = 'sha256' | 'sha512'

const contentDigest = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/
const hexOfDigest = /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/
export const algorithms: readonly Algorithm[] = ['sha256', 'sha512']

export const isContentDigest = (text: string): boolean => contentDigest.test(text)

export const algorithmOf = (digest: string): Algorithm => (digest.startsWith('sha512:') ? 'sha512' : 'sha256')

export const hexOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1)

/** undefined: not the name of such a file. */
export const digestOfHex = (hex: string): string | undefined =>
  hexOfDigest.test(hex) ? `${hex.length === 64 ? 'sha256' : 'sha512'}:${hex}` : undefined

export const digestOf = (content: string | Buffer, algorithm: Algorithm = 'sha256'): string =>
  digestOfHash(createHash(algorithm).update(content), algorithm)

export const digestOfHash = (hash: Hash, algorithm: Algorithm): string => `${algorithm}:${hash.copy().digest('hex')}`
