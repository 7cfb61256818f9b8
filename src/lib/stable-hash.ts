// A short name for a JSON value: equal values have equal hashes, whatever the order of their keys. Whoever wants to finds two
// values with one hash; what must not be confused on purpose has a digest.

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** FNV-1a over the canonical text, in letters that spell no words. @param salt makes another hash of the same value */
export function stableHash(value: unknown, salt = ''): string {
  const text = canonicalJson(value) + salt
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return Array.from(`${hash >>> 0}`, digit => suffixAlphabet[digit.charCodeAt(0) % suffixAlphabet.length]).join('')
}

/** The same text for equal values. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
}
