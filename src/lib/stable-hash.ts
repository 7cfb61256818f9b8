// A short name for a JSON value: equal values have equal hashes, whatever the order of their keys.

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** FNV-1a over the canonical text, in letters that spell no words. @param salt makes another hash of the same value */
export function stableHash(value: unknown, salt = ''): string {
  const text = canonical(value) + salt
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return Array.from(`${hash >>> 0}`, digit => suffixAlphabet[digit.charCodeAt(0) % suffixAlphabet.length]).join('')
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}
