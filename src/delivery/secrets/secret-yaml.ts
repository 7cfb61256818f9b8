// YAML that holds secrets, encrypted ones in the repository or plain ones in an editor:
//   shared: { NAME: VALUE }
//   services: { SERVICE: { NAME: VALUE } }
// Every scalar is a text as it was written. What is wrong is told by line and key; values are never repeated, which the
// parser's own messages would do.
import { isMap, isScalar, LineCounter, parseDocument, type Document, type Node, type Pair, type YAMLMap } from 'yaml'
import { suggestion } from '../manifest/nearest-name.ts'
import { secretNameRule, secretNames } from './secret-place.ts'

export interface SecretYaml {
  readonly document: Document.Parsed
  readonly entries: readonly SecretEntry[]
  /** `LINE: MESSAGE` */
  readonly mistakes: readonly string[]
}

export interface SecretEntry {
  readonly service: string | undefined
  readonly name: string
  readonly value: string
  readonly line: number
}

const serviceNames = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/** @param sections which of `readers`, `shared` and `services` may stand there */
export function readSecretYaml(text: string, sections: readonly string[]): SecretYaml {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'failsafe' })
  const lineOf = (node: unknown): number => lines.linePos((node as Node | null)?.range?.[0] ?? 0).line
  const [problem] = [...document.errors, ...document.warnings]
  const mistakes: string[] = []
  const entries: SecretEntry[] = []
  if (problem !== undefined)
    mistakes.push(`${lines.linePos(problem.pos[0]).line}: expected YAML, found ${yamlFault(problem.code)}`)
  else
    for (const [section, inside, line] of pairs(document.contents, 1, 'the file', mistakes, lineOf)) {
      if (!sections.includes(section))
        mistakes.push(`${line}: unknown field "${section}"; ${suggestion(section, sections)}`)
      else if (section === 'readers') texts(inside, line, 'readers', () => {})
      else if (section === 'shared') secrets(undefined, inside, line)
      else
        for (const [service, own, ownLine] of pairs(inside, line, 'services', mistakes, lineOf)) {
          if (!serviceNames.test(service)) mistakes.push(`${ownLine}: services: "${service}" is no name of a service`)
          secrets(service, own, ownLine)
        }
    }
  return { document, entries, mistakes }

  function texts(node: unknown, line: number, path: string, take: (name: string, value: string, line: number) => void) {
    for (const [name, value, ownLine] of pairs(node, line, path, mistakes, lineOf)) {
      if (isScalar(value) && typeof value.value === 'string' && value.value !== '') take(name, value.value, ownLine)
      else
        mistakes.push(
          `${ownLine}: ${path}.${name}: expected a text, found ${isScalar(value) ? 'nothing' : 'a map, a list or a reference'}`,
        )
    }
  }

  function secrets(service: string | undefined, node: unknown, line: number): void {
    const path = service === undefined ? 'shared' : `services.${service}`
    texts(node, line, path, (name, value, ownLine) => {
      if (!secretNames.test(name))
        mistakes.push(`${ownLine}: ${path}: "${name}" is no name of a secret; expected ${secretNameRule}`)
      entries.push({ service, name, value, line: ownLine })
    })
  }
}

/** In the library's words for its kinds of errors, which repeat nothing of the text: DUPLICATE_KEY. */
const yamlFault = (code: string): string => code.toLowerCase().replaceAll('_', ' ')

/** Keys with what stands behind them; nothing is as good as none. */
function pairs(
  node: unknown,
  line: number,
  path: string,
  mistakes: string[],
  lineOf: (node: unknown) => number,
): [key: string, value: unknown, line: number][] {
  if (node === null || (isScalar(node) && (node.value === '' || node.value === null))) return []
  if (!isMap(node)) {
    mistakes.push(`${line}: ${path}: expected names with their values, found something else`)
    return []
  }
  return ((node as YAMLMap).items as Pair<Node, Node | null>[]).map(({ key, value }) => [
    isScalar(key) ? String(key.value) : '',
    value,
    lineOf(key),
  ])
}
