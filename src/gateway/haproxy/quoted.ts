// Text of users within HAProxy's configuration: nothing in it is a command, a variable or another argument. Pure.
// Source: HAProxy's configuration manual 2.6, "Quoting and escaping" and "Custom log format".

/** One argument, word for word. What ends a line cannot be in it. */
export const quoted = (text: string): string =>
  `'${text.replaceAll(/[\r\n\0]/g, ' ').replaceAll("'", String.raw`'\''`)}'`

/** One argument of those that are formats, standing for the text itself. */
export const quotedFormat = (text: string): string => quoted(literal(text))

/** Text within a format. */
export const literal = (text: string): string => text.replaceAll('%', '%%')

/** A sample of something that has a name of somebody's choice, such as a header. */
export const quotedSample = (fetch: string, name: string, ...converters: readonly string[]): string =>
  quoted([`${fetch}("${name.replaceAll(/["\\]/g, String.raw`\$&`)}")`, ...converters].join(','))

/** A condition of its own; the sample is what is wanted, or fits it as a pattern from beginning to end. */
export function condition(sample: string, kind: 'exact' | 'pattern', wanted: string): string {
  if (kind === 'pattern') return `{ ${sample} -m reg -- ${quoted(`^(?:${wanted})$`)} }`
  // A closing brace alone would be the end of the condition.
  return wanted === '}' ? `{ ${sample} -m reg -- '^}$' }` : `{ ${sample} -m str -- ${quoted(wanted)} }`
}
