// The text of a `sampan.yml` with an environment more or less: everything else stays as it was written, to the letter.
// What was written here is marked, so that only that is taken out again.
import { isMap, isNode, isScalar, parseDocument, type Document, type Pair, type YAMLMap } from 'yaml'

const mark = '# made by sampan env create'

/** @param base the environment it has everything from */
export function withEnvironment(text: string, name: string, base: string): string {
  const document = parseDocument(text)
  const environments = environmentsIn(document)
  const entry = `${name}: { extends: ${base} } ${mark}`
  if (environments === undefined) {
    const isThere = document.delete('environments')
    const rest = isThere ? document.toString() : text
    return `${rest.trimEnd()}\nenvironments:\n  ${entry}\n`
  }
  if (environments.flow) {
    const behindBrace = environments.range![0] + 1
    return `${text.slice(0, behindBrace)}${withinBraces(name, base)}${text.slice(behindBrace)}`
  }
  const first = startOf(environments.items[0]!)
  const indent = text.slice(lineStart(text, first), first)
  const end = lineEnd(text, endOf(environments.items.at(-1)!, text))
  return `${text.slice(0, end)}\n${indent}${entry}\n${text.slice(end + 1)}`
}

export type Removal =
  | { readonly text: string }
  /** Why it stays. */
  | { readonly reason: string }

export function withoutEnvironment(text: string, name: string): Removal {
  const environments = environmentsIn(parseDocument(text))
  const pair = environments?.items.find(item => keyOf(item) === name)
  if (environments === undefined || pair === undefined) return { reason: `there is no "${name}" in it` }
  const heir = environments.items.find(({ value }) => isMap(value) && value.get('extends') === name)
  if (heir !== undefined) return { reason: `"${keyOf(heir)}" extends it` }
  if (environments.flow) {
    const base = isMap(pair.value) ? String(pair.value.get('extends')) : ''
    const without = text.replace(withinBraces(name, base), '')
    return without === text ? { reason: 'somebody wrote it by hand' } : { text: without }
  }
  const [start, end] = [lineStart(text, startOf(pair)), lineEnd(text, startOf(pair))]
  const line = text.slice(start, end).trim()
  if (!line.startsWith(`${name}: { extends: `) || !line.endsWith(` } ${mark}`) || line.includes(','))
    return { reason: 'somebody wrote it by hand' }
  const without = text.slice(0, start) + text.slice(end + 1)
  // A heading with nothing under it would be a mistake.
  return { text: environments.items.length > 1 ? without : without.replace(/^environments:[ \t]*\n/m, '') }
}

/** A line of its own, since a comment goes on to the end of its line. */
const withinBraces = (name: string, base: string): string => `\n  ${name}: { extends: ${base} }, ${mark}\n `

function environmentsIn(document: Document): YAMLMap | undefined {
  const found = document.get('environments')
  return isMap(found) ? found : undefined
}

const keyOf = ({ key }: Pair): string => String(isScalar(key) ? key.value : key)

const startOf = ({ key }: Pair): number => (isNode(key) ? (key.range?.[0] ?? 0) : 0)

/** Within its last line. */
function endOf({ key, value }: Pair, text: string): number {
  const ends = [key, value].map(node => (isNode(node) ? (node.range?.[1] ?? 0) : 0))
  let end = Math.max(...ends)
  while (end > 0 && /\s/.test(text[end - 1]!)) end--
  return end
}

const lineStart = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  return end < 0 ? text.length : end
}
