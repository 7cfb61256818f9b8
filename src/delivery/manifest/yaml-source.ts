// The text of a YAML file as a tree whose parts know their lines; and what is wrong with it as YAML: one mistake
// at a time, since the parser goes on after it and finds more that are none, on the line where a person would
// look for it.
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { Path } from './field.ts'

export interface YamlSource {
  readonly document: Document.Parsed
  readonly mistakes: readonly YamlMistake[]
  readonly lineOf: (node: Node | undefined | null) => number
  /** Line of the key that the path leads to, or of the last part of it that is there. */
  readonly lineAt: (path: Path) => number
}

interface YamlMistake {
  readonly line: number
  readonly message: string
}

export function readYaml(text: string): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAtOffset = (offset: number): number => lines.linePos(offset).line
  const lineOf = (node: Node | undefined | null): number => lineAtOffset(node?.range?.[0] ?? 0)
  const mistakes =
    document.errors.length > 0
      ? syntaxMistakes(document, lineAtOffset)
      : document.warnings.map(({ pos, message }) => ({ line: lineAtOffset(pos[0]), message }))
  if (mistakes.length === 0) mistakes.push(...textsWithNul(document, lineOf))
  if (mistakes.length === 0) resolveAliases(document, (node, message) => mistakes.push({ line: lineOf(node), message }))
  return {
    document,
    mistakes,
    lineOf,
    lineAt: path => lineOf(lastOf(document.contents as Node | null, path)),
  }
}

/** The key or item that the path leads to, or the last one on the way that is there. */
function lastOf(root: Node | null, path: Path): Node | undefined {
  let node: unknown = root
  let last: Node | undefined
  for (const part of path) {
    const step = isSeq(node) ? itemAt(node, part) : isMap(node) ? pairAt(node, part) : undefined
    if (step === undefined) return last
    last = step.key
    node = step.value
  }
  return last
}

interface Step {
  readonly key: Node
  readonly value: unknown
}

function pairAt(map: YAMLMap, name: string | number): Step | undefined {
  const pairs = map.items as Pair<Node, Node | null>[]
  return pairs.find(({ key }) => isScalar(key) && String(key.source ?? key.value) === name)
}

function itemAt(list: YAMLSeq, index: string | number): Step | undefined {
  const item = typeof index === 'number' ? (list.items[index] as Node | undefined) : undefined
  return item === undefined ? undefined : { key: item, value: item }
}

/** An alias (`*name`) becomes a copy of what it names, so that each place can be read in its own way. */
function resolveAliases(document: Document.Parsed, wrong: (alias: Node, message: string) => void): void {
  visit(document, {
    Alias: (_key, alias, path) => {
      const named = alias.resolve(document)
      if (named !== undefined && !path.includes(named)) return named.clone() as Node
      const what = named === undefined ? 'there is no anchor' : 'what it stands in cannot be a part of itself:'
      wrong(alias, `${what} ${named === undefined ? '&' : '*'}${alias.source}`)
      return visit.BREAK
    },
  })
}

/** No variable, argument or file name can hold the character NUL. */
function textsWithNul(document: Document.Parsed, lineOf: (node: Node) => number): YamlMistake[] {
  const found: YamlMistake[] = []
  visit(document, {
    Scalar: (_key, scalar) => {
      if (typeof scalar.value === 'string' && scalar.value.includes('\0'))
        found.push({ line: lineOf(scalar), message: 'expected text, found the character NUL in it' })
    },
  })
  return found
}

const words: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'a ":" too many; a text with a colon and a space in it needs quotes',
  MULTILINE_IMPLICIT_KEY: 'this line is indented further than fits, or has a ":" too many',
  DUPLICATE_KEY: 'this key stands here for the second time',
  MULTIPLE_DOCS: 'expected one document, found a second one',
  TAB_AS_INDENT: 'expected spaces, found a tab',
  BAD_SCALAR_START: 'a text that begins with such a character needs quotes',
}

function syntaxMistakes(document: Document.Parsed, lineAtOffset: (offset: number) => number): YamlMistake[] {
  const all = document.errors.toSorted((left, right) => left.pos[0] - right.pos[0])
  const told = (error: YAMLError, offset: number): YamlMistake => ({
    line: lineAtOffset(offset),
    message: words[error.code] ?? error.message,
  })
  const syntax = all.filter(({ code }) => code !== 'DUPLICATE_KEY')
  const first = syntax[0]
  if (first === undefined) return all.map(error => told(error, error.pos[0]))
  const continued = syntax.find(({ code, pos }) => code === 'MULTILINE_IMPLICIT_KEY' && pos[0] === first.pos[0])
  if (continued !== undefined) return [told(continued, continued.pos[1])]
  return [told(first, openedAt(document, first) ?? first.pos[0])]
}

/** What was never closed is wrong where it was opened, not where its end was missed. */
function openedAt(document: Document.Parsed, { code, pos }: YAMLError): number | undefined {
  if (code !== 'MISSING_CHAR' && code !== 'BAD_INDENT') return undefined
  let offset: number | undefined
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node) || !node.range) return
      const closes = isCollection(node) ? node.flow === true : isScalar(node) && node.type?.startsWith('QUOTE') === true
      if (closes && node.range[0] <= pos[0] && pos[0] <= node.range[2]) offset = node.range[0]
    },
  })
  return offset
}
