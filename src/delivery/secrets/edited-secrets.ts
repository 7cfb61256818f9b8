// The values of an environment as plain YAML for an editor, and what was changed in it. Pure.
import { Document, Scalar } from 'yaml'
import type { PlainSecret } from './rekey-file.ts'
import { placeText, type SecretPlace } from './secret-place.ts'
import { readSecretYaml } from './secret-yaml.ts'
import { SecretsError } from './secrets-error.ts'

export interface SecretChanges {
  readonly set: readonly (SecretPlace & { readonly value: string })[]
  readonly remove: readonly SecretPlace[]
}

const sections = ['shared', 'services']

export function textToEdit(environment: string, secrets: readonly PlainSecret[]): string {
  const document = new Document({ shared: {}, services: {} })
  document.commentBefore = ` Secrets of ${environment}, readable here alone: save, leave the editor, and they are encrypted.
 shared: for all services, NAME: value. services: for one of them, SERVICE: { NAME: value }.
 What is taken out here is removed; texts with special characters need quotes.`
  for (const { service, name, value } of secrets) {
    const text = new Scalar(value)
    text.type = Scalar.QUOTE_DOUBLE
    document.setIn(service === undefined ? ['shared', name] : ['services', service, name], text)
  }
  return document.toString({ lineWidth: 0 })
}

/** @throws SecretsError with lines, and without values */
export function changesIn(edited: string, environment: string, before: readonly PlainSecret[]): SecretChanges {
  const { entries, mistakes } = readSecretYaml(edited, sections)
  if (mistakes.length > 0) throw new SecretsError(mistakes.map(mistake => `line ${mistake}`))
  const keyOf = ({ service, name }: Pick<SecretPlace, 'service' | 'name'>): string => placeText({ service, name })
  const old = new Map(before.map(secret => [keyOf(secret), secret.value]))
  const kept = new Set(entries.map(keyOf))
  return {
    set: entries
      .filter(entry => old.get(keyOf(entry)) !== entry.value)
      .map(({ service, name, value }) => ({ environment, service, name, value })),
    remove: before
      .filter(secret => !kept.has(keyOf(secret)))
      .map(({ service, name }) => ({ environment, service, name })),
  }
}
