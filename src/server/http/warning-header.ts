// Texts for the Warning header of an answer, as Kubernetes writes them: UTF-8 without control characters, each
// text once, and cut short when there is too much of it (apiserver pkg/endpoints/filters/warning.go,
// apimachinery pkg/util/net/http.go).
const mostCharacters = 4096
const mostCharactersOfOne = 256

/** @returns one header value for each text that fits; as Node.js wants it, one character for each byte */
export function warningHeaders(warnings: readonly string[]): string[] {
  const texts = [...new Set(warnings)].map(text => Array.from(text.replaceAll(/\p{Cc}/gu, '')))
  const isTooMuch = texts.reduce((sum, text) => sum + text.length, 0) > mostCharacters
  const headers: string[] = []
  let written = 0
  for (const text of texts) {
    const characters = isTooMuch ? text.slice(0, mostCharactersOfOne) : text
    written += characters.length
    if (written > mostCharacters) break
    headers.push(Buffer.from(`299 - ${JSON.stringify(characters.join(''))}`).toString('latin1'))
  }
  return headers
}
