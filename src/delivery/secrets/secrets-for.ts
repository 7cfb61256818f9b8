// The values that a service needs in an environment, for who delivers it. An environment has its own values, and those
// of the environments that it extends where it has none: the nearest environment counts first, and in each of them the
// service's own value before the one that is for all services.
import type { SecretFile, SealedSecret } from './secret-file.ts'
import { readIdentities, type Identity, type IdentitySource } from './identities.ts'
import { placeText, secretCommand } from './secret-place.ts'
import { SecretsError } from './secrets-error.ts'
import { unsealValue, type SecretValue } from './sealed-value.ts'

export interface SecretReader {
  read(environment: string): SecretFile
}

export interface WantedSecrets {
  readonly environment: string
  /** The environments it inherits from, nearest first. */
  readonly extends: readonly string[]
  /** undefined: only what is for all services. */
  readonly service: string | undefined
  readonly names: readonly string[]
}

export type FoundSecrets = { readonly values: ReadonlyMap<string, string> } | { readonly mistakes: readonly string[] }

/** All values, or everything that is wrong. An identity is needed only when there is something to read. */
export async function secretsFor(
  folder: SecretReader,
  source: IdentitySource,
  wanted: WantedSecrets,
): Promise<FoundSecrets> {
  const mistakes: string[] = []
  const sealed = new Map<string, Located>()
  try {
    for (const name of wanted.names) {
      const found = locateSecret(folder, wanted, name)
      if (found !== undefined) sealed.set(name, found)
      else mistakes.push(missing(folder, wanted, name))
    }
    if (sealed.size === 0) return mistakes.length > 0 ? { mistakes } : { values: new Map() }
    const identities = await readIdentities(source)
    const values = new Map<string, string>()
    for (const [name, { file, secret }] of sealed) {
      const opened = await openSecret(file, secret, identities)
      if (typeof opened === 'string') mistakes.push(opened)
      else values.set(name, opened.value)
    }
    return mistakes.length > 0 ? { mistakes: [...new Set(mistakes)] } : { values }
  } catch (error) {
    if (error instanceof SecretsError) return { mistakes: [...mistakes, ...error.mistakes] }
    throw error
  }
}

export interface Located {
  readonly file: SecretFile
  readonly secret: SealedSecret
}

/** Where the value stands that counts. @throws SecretsError for a broken file */
export function locateSecret(
  folder: SecretReader,
  { environment, extends: parents, service }: Omit<WantedSecrets, 'names'>,
  name: string,
): Located | undefined {
  for (const each of [environment, ...parents]) {
    const file = folder.read(each)
    const secret =
      (service === undefined ? undefined : file.find({ service, name })) ?? file.find({ service: undefined, name })
    if (secret !== undefined) return { file, secret }
  }
  return undefined
}

const missing = (folder: SecretReader, { environment, service }: WantedSecrets, name: string): string =>
  `${folder.read(environment).path}: ${placeText({ service, name })} is missing; set it with "${secretCommand('set', { environment, service, name })}"`

/** The value, or why it cannot be had. */
export async function openSecret(
  file: SecretFile,
  secret: SealedSecret,
  identities: readonly Identity[],
): Promise<SecretValue | string> {
  const where = `${file.path}:${secret.line}: ${placeText(secret)}`
  const keys = identities.map(({ key }) => key)
  const opened = await unsealValue(secret.sealed, secret, keys)
  switch (opened.state) {
    case 'open':
      return opened.secret
    case 'moved':
      return `${where} is the value of ${placeText(opened.from)} in ${opened.from.environment}, moved here by hand; values belong to their places: give it anew with "${secretCommand('set', secret)}"`
    case 'broken':
      return `${where} is damaged: it is no whole text of age; bring back an earlier version of the file, or give the value anew with "${secretCommand('set', secret)}"`
    case 'foreign':
      return notForUs(file, where, identities)
  }
}

function notForUs({ readers, environment, path }: SecretFile, where: string, identities: readonly Identity[]): string {
  const own = identities.map(({ recipient }) => recipient)
  const self = Object.entries(readers).find(([, recipient]) => own.includes(recipient))?.[0]
  if (self !== undefined)
    return `${where} was encrypted before ${self} was a reader; another reader has to run "sampan secret rekey -e ${environment}"`
  const names = Object.keys(readers)
  return `${path} cannot be read by ${own.join(', ')}; ${names.length === 0 ? 'it names no readers' : `its readers are ${names.join(', ')}`}. One of them can add you to the readers of ${environment} and run "sampan secret rekey -e ${environment}"`
}
