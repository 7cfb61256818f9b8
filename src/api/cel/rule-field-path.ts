// The `fieldPath` of a rule: `.spec['my-field'].name`, below the schema that the rule stands at.
import type { JSONSchemaProps } from '../generated/models.ts'
import { schemaOf } from './schema-type.ts'

const escapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
}

/** The path as errors show it, or what is wrong with it in the words of Kubernetes. */
export function parseFieldPath(
  text: string,
  root: JSONSchemaProps,
): { readonly path: string } | { readonly problem: string } {
  const tokens = text.match(/'(?:[^'\\]|\\.)*'|[.[\]]|[^.[\]]+/gs) ?? []
  let schema = root
  let path = ''
  for (let at = 0; at < tokens.length;) {
    const opened = tokens[at++]!
    if (opened !== '.' && opened !== '[') return { problem: `expected [ or . but got: ${opened}` }
    const token = tokens[at++]
    if (token === undefined) return { problem: 'unexpected end of JSON path' }
    const name = opened === '.' ? token : quotedName(token)
    if (typeof name !== 'string') return name
    if (opened === '[') {
      const closed = tokens[at++]
      if (closed === undefined) return { problem: 'unexpected end of JSON path' }
      if (closed !== ']') return { problem: `expected ] but got ${closed}` }
    }
    const below =
      schema.properties === undefined
        ? schemaOf(schema.additionalProperties)
        : Object.hasOwn(schema.properties, name)
          ? schema.properties[name]
          : undefined
    if (below === undefined) return { problem: 'does not refer to a valid field' }
    path += schema.properties === undefined ? `[${name}]` : `${path === '' ? '' : '.'}${name}`
    schema = below
  }
  return { path }
}

function quotedName(token: string): string | { readonly problem: string } {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'"))
    return { problem: `expected single quoted string but got ${token}` }
  const body = token.slice(1, -1)
  const bad = [...body.matchAll(/\\(.)/gs)].find(([, character]) => escapes[character!] === undefined)
  if (bad !== undefined) return { problem: `invalid string literal: invalid escape char ${bad[0]}` }
  return body.replaceAll(/\\(.)/gs, (_whole, character: string) => escapes[character]!)
}
