// What a registry wants to be given before it answers: `WWW-Authenticate`, in one header or several.
// Source: RFC 9110, section 11; Docker's token authentication specification.

export interface Challenge {
  readonly scheme: 'basic' | 'bearer'
  readonly parameters: Readonly<Record<string, string>>
}

const schemePattern = /(?:^|,\s*)(basic|bearer)(?=\s|$)/gi
const parameterPattern = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g

/** The strongest one that is known; undefined: none is. */
export function challengeIn(header: string | undefined): Challenge | undefined {
  const text = header ?? ''
  const starts = [...text.matchAll(schemePattern)]
  const all = starts.map(({ 0: start, 1: scheme = '', index }, position): Challenge => {
    const end = starts[position + 1]?.index ?? text.length
    const pairs = [...text.slice(index + start.length, end).matchAll(parameterPattern)]
    return {
      scheme: scheme.toLowerCase() as Challenge['scheme'],
      parameters: Object.fromEntries(
        pairs.map(([, name = '', quoted, plain]) => [
          name.toLowerCase(),
          quoted === undefined ? (plain ?? '') : quoted.replaceAll(/\\(.)/g, '$1'),
        ]),
      ),
    }
  })
  return all.find(({ scheme }) => scheme === 'bearer') ?? all[0]
}
