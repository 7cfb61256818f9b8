// Takes secrets out of a text that somebody is shown: as they are, and as they stand within quotes and in addresses. Pure.
export function strikeOut(text: string, secrets: readonly string[]): string {
  const written = secrets.flatMap(secret => [
    secret,
    secret.replaceAll("'", "''"),
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll(/['"\\]/g, String.raw`\$&`),
    encodeURIComponent(secret),
  ])
  const longestFirst = [...new Set(written)].filter(secret => secret !== '').toSorted((a, b) => b.length - a.length)
  return longestFirst.reduce((left, secret) => left.replaceAll(secret, '***'), text)
}
