// YAML bodies, read as Kubernetes reads them (YAML 1.1 as in go-yaml v2: `yes` is true, `0644` is octal,
// times stay text). Kept apart from JSON, so that whoever never sees YAML never loads the parser.
import { parseDocument, type Tags } from 'yaml'
import { parseExactJson } from '../lib/exact-json.ts'
import { badRequest } from './api-error.ts'

const readable = (tags: Tags): Tags =>
  tags.filter(
    tag =>
      typeof tag === 'string' ||
      (tag.tag !== 'tag:yaml.org,2002:timestamp' && (tag as { format?: string }).format !== 'TIME'),
  )

/**
 * Keys must be text in JSON: go-yaml writes numbers and booleans as it would print them.
 * @returns also what is wrong with keys that occur twice, in the words of go-yaml
 */
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
    intAsBigInt: true,
  })
  const [problem] = document.errors
  if (problem !== undefined) throw badRequest(`error converting YAML to JSON: yaml: ${describe(text, problem)}`)
  if (options.duplicates) duplicates.push(...duplicateKeys(text))
  try {
    return { value: parseExactJson(JSON.stringify(document.toJS({ maxAliasCount: 1000 }) ?? null)), duplicates }
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${error instanceof Error ? error.message : 'unreadable'}`)
  }
}

function describe(text: string, problem: { pos: [number, number]; message: string }): string {
  return `line ${lineOf(text, problem.pos[0])}: ${problem.message.split('\n')[0]}`
}

const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

/** `line 3: key "a" already set in map`, for each key that a mapping has twice. */
function duplicateKeys(text: string): string[] {
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: true,
    customTags: readable,
    prettyErrors: false,
    logLevel: 'silent',
  })
  return document.errors
    .filter(error => error.code === 'DUPLICATE_KEY')
    .map(({ pos }) => `line ${lineOf(text, pos[0])}: key ${JSON.stringify(keyAt(text, pos[0]))} already set in map`)
}

/** The key that stands at `offset`; its path is not known to the parser any more. */
const keyAt = (text: string, offset: number): string => /^["']?([^"':\s]*)/.exec(text.slice(offset))?.[1] ?? ''
