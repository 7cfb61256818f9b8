// Checks a YAML file against its table of fields, and reads it. Every finding names the line, the field, what was
// expected, what was found, and for a mistyped name the nearest valid one. What is wrong is left out of the value, so
// that the rest can be checked further.
import type { Node } from 'yaml'
import { CheckedNodes } from './checked-nodes.ts'
import { pathText, type Fields, type Path } from './field.ts'
import type { Finding } from './manifest-error.ts'
import { readYaml } from './yaml-source.ts'

export interface CheckedFile {
  /**
   * Plain. Short forms are written out, commands are lists, texts are as they were written. In what is laid over
   * something else, null takes away.
   */
  readonly value: Readonly<Record<string, unknown>>
  readonly findings: readonly Finding[]
  /** Line of the key that the path leads to, or of the last part of it that is there. */
  readonly lineAt: (path: Path) => number
  /** Whether something at, in or around it is wrong: what is said about it further on might not be meant. */
  readonly isBroken: (path: Path) => boolean
}

/** @param name of the file, for people: `the manifest` */
export function checkFile(text: string, fields: Fields, name: string): CheckedFile {
  const { document, mistakes, lineOf, lineAt } = readYaml(text)
  const findings: Finding[] = mistakes.map(({ line, message }) => ({ line, field: '', message }))
  const broken: Path[] = mistakes.length > 0 ? [[]] : []
  const nodes = new CheckedNodes((node, path, message, meant = path) => {
    findings.push({ line: lineOf(node), field: pathText(path), message })
    broken.push(meant)
  }, name)
  const value = mistakes.length > 0 ? undefined : nodes.value(document.contents as Node | null, fields, [], false)
  return {
    value: (value ?? {}) as Record<string, unknown>,
    findings,
    lineAt,
    isBroken: path => broken.some(within(path)),
  }
}

/** Whether one of two paths leads through the other's end. */
const within =
  (path: Path) =>
  (other: Path): boolean =>
    other.slice(0, path.length).every((part, index) => part === path[index])
