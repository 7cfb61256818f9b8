// Text of users within HAProxy's configuration: nothing in it is a command, a variable or another argument. Pure.
// Source: HAProxy's configuration manual 2.6, "Quoting and escaping".

/** One argument, word for word. What ends a line cannot be in it. */
export const quoted = (text: string): string =>
  `'${text.replaceAll(/[\r\n\0]/g, ' ').replaceAll("'", String.raw`'\''`)}'`
