// Text in quotes as Go prints it with %q, which is how Kubernetes shows values in messages. JSON writes what cannot be
// printed in another way.

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u
const plain = /^[\x20-\x7E]*$/

/** Letters, marks, numbers, punctuation, symbols and the ordinary space. */
export const isPrintable = (character: string): boolean => printable.test(character)

const escapes: Readonly<Record<string, string>> = {
  '"': String.raw`\"`,
  '\\': '\\\\',
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
}

export function goQuote(text: string): string {
  return plain.test(text) ? JSON.stringify(text) : `"${Array.from(text, escape).join('')}"`
}

function escape(character: string): string {
  const known = escapes[character]
  if (known !== undefined || isPrintable(character)) return known ?? character
  const code = character.codePointAt(0)!
  if (code < 0x20 || code === 0x7f) return String.raw`\x${hexOf(code, 2)}`
  return code < 0x1_0000 ? String.raw`\u${hexOf(code, 4)}` : String.raw`\U${hexOf(code, 8)}`
}

const hexOf = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')
