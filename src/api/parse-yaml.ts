// YAML bodies, read as Kubernetes reads them (YAML 1.1 as in go-yaml v2: `yes` is true, `0644` is octal,
// times stay text). Kept apart from JSON, so that whoever never sees YAML never loads the parser.
import { parseDocument, type Tags } from 'yaml'
import { badRequest } from './api-error.ts'

const readable = (tags: Tags): Tags =>
  tags.filter(
    tag =>
      typeof tag === 'string' ||
      (tag.tag !== 'tag:yaml.org,2002:timestamp' && (tag as { format?: string }).format !== 'TIME'),
  )

/** Keys must be text in JSON: go-yaml writes numbers and booleans as it would print them. */
export function parseYaml(
  text: string,
  options: { readonly duplicates: boolean },
): { value: unknown; duplicates: string[] } {
  const duplicates: string[] = []
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    customTags: readable,
    prettyErrors: false,
    logLevel: 'silent',
  })
  const [problem] = document.errors
  if (problem !== undefined) throw badRequest(`error converting YAML to JSON: yaml: ${describe(text, problem)}`)
  if (options.duplicates) duplicates.push(...duplicateKeys(text))
  try {
    return { value: JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: 1000 }) ?? null)), duplicates }
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${error instanceof Error ? error.message : 'unreadable'}`)
  }
}

function describe(text: string, problem: { pos: [number, number]; message: string }): string {
  const line = text.slice(0, problem.pos[0]).split('\n').length
  return `line ${line}: ${problem.message.split('\n')[0]}`
}

/** Paths of keys that a mapping has twice. */
function duplicateKeys(text: string): string[] {
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: true,
    customTags: readable,
    prettyErrors: false,
    logLevel: 'silent',
  })
  return document.errors.filter(error => error.code === 'DUPLICATE_KEY').map(error => keyAt(text, error.pos[0]))
}

/** The key that stands at `offset`; its path is not known to the parser any more. */
const keyAt = (text: string, offset: number): string => /^["']?([^"':\s]*)/.exec(text.slice(offset))?.[1] ?? ''
