// The text of a YAML file as a tree whose parts know their lines; and what is wrong with it as YAML: one mistake
// at a time, since the parser goes on after it and finds more that are none, on the line where a person would
// look for it.
import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
} from 'yaml'

export interface YamlSource {
  readonly document: Document.Parsed
  /** `LINE: MESSAGE` */
  readonly mistakes: readonly string[]
  readonly lineOf: (node: Node | undefined | null) => number
  /** Line of the key that the path leads to, or of the last part of it that is there. */
  readonly lineAt: (path: readonly string[]) => number
}

export function readYaml(text: string): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAtOffset = (offset: number): number => lines.linePos(offset).line
  const lineOf = (node: Node | undefined | null): number => lineAtOffset(node?.range?.[0] ?? 0)
  const mistakes =
    document.errors.length > 0
      ? syntaxMistakes(document, lineAtOffset)
      : document.warnings.map(({ pos, message }) => `${lineAtOffset(pos[0])}: ${message}`)
  if (mistakes.length === 0)
    resolveAliases(document, node => mistakes.push(`${lineOf(node)}: there is no anchor &${node.source}`))
  return {
    document,
    mistakes,
    lineOf,
    lineAt: path => {
      let node: unknown = document.contents
      let line = 1
      for (const name of path) {
        const pair = isMap(node)
          ? (node.items as Pair<Node, Node | null>[]).find(({ key }) => isScalar(key) && String(key.value) === name)
          : undefined
        if (pair === undefined) return line
        line = lineOf(pair.key)
        node = pair.value
      }
      return line
    },
  }
}

/** An alias (`*name`) becomes a copy of what it names, so that each place can be read in its own way. */
function resolveAliases(
  document: Document.Parsed,
  unknown: (alias: { range?: Node['range']; source: string } & Node) => void,
): void {
  visit(document, {
    Alias: (_key, alias) => {
      const named = alias.resolve(document)
      if (named === undefined) return unknown(alias)
      return named.clone() as Node
    },
  })
}

const words: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'a ":" too many; a text with a colon and a space in it needs quotes',
  MULTILINE_IMPLICIT_KEY: 'this line is indented further than fits, or has a ":" too many',
  DUPLICATE_KEY: 'this key stands here for the second time',
  MULTIPLE_DOCS: 'expected one document, found a second one',
  TAB_AS_INDENT: 'expected spaces, found a tab',
}

function syntaxMistakes(document: Document.Parsed, lineAtOffset: (offset: number) => number): string[] {
  const all = document.errors.toSorted((left, right) => left.pos[0] - right.pos[0])
  const told = (error: YAMLError, offset: number): string =>
    `${lineAtOffset(offset)}: ${words[error.code] ?? error.message}`
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
