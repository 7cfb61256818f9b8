// The role of docs/delivery-rights.md: tests deliver with it, so that what the document says is enough.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { PolicyRule } from '../api/generated/models.ts'

const file = join(import.meta.dirname, '../../docs/delivery-rights.md')

export function deployerRules(): readonly PolicyRule[] {
  const block = /```yaml\n([\s\S]*?)```/.exec(readFileSync(file, 'utf8'))?.[1]
  return (parse(block ?? '') as { readonly rules: readonly PolicyRule[] }).rules
}

/** `verb resource` of each: `get deployments.apps`, `get pods/log`. */
export const rightsIn = (rules: readonly PolicyRule[]): string[] =>
  rules.flatMap(({ verbs, apiGroups = [], resources = [] }) =>
    apiGroups.flatMap(group => resources.flatMap(resource => verbs.map(verb => rightText(verb, group, resource)))),
  )

export const rightText = (verb: string, group: string, resource: string): string =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`
