// Base64 in pure code, which has no decoder of its own.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The bytes as characters of the same number; text when it is ASCII. @param limit of characters of base64 that are read */
export function decodeBase64Text(base64: string, limit = Infinity): string {
  let text = ''
  for (let at = 0; at + 3 < base64.length && at < limit; at += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map(offset => Math.max(0, alphabet.indexOf(base64[at + offset]!))) as [
      number,
      number,
      number,
      number,
    ]
    const padding = base64[at + 3] === '=' ? (base64[at + 2] === '=' ? 2 : 1) : 0
    text += String.fromCharCode((a << 2) | (b >> 4), ((b & 15) << 4) | (c >> 2), ((c & 3) << 6) | d).slice(
      0,
      3 - padding,
    )
  }
  return text
}
