// Encrypts all values of a file anew: for other readers, or for another environment.
import type { Identity } from './identities.ts'
import type { SecretFile } from './secret-file.ts'
import { sealValue, type SecretValue } from './sealed-value.ts'
import { openSecret } from './secrets-for.ts'
import type { SecretPlace } from './secret-place.ts'
import { SecretsError } from './secrets-error.ts'

export interface PlainSecret extends SecretPlace, SecretValue {}

/** In the order of the file. @throws SecretsError with everything that cannot be read */
export async function openAll(file: SecretFile, identities: readonly Identity[]): Promise<PlainSecret[]> {
  const mistakes = new Set<string>()
  const plain: PlainSecret[] = []
  for (const secret of file.secrets) {
    const opened = await openSecret(file, secret, identities)
    if (typeof opened === 'string') mistakes.add(opened)
    else plain.push({ environment: secret.environment, service: secret.service, name: secret.name, ...opened })
  }
  if (mistakes.size > 0) throw new SecretsError([...mistakes])
  return plain
}

/** @returns how many values there are */
export async function rekeyFile(
  file: SecretFile,
  readers: Readonly<Record<string, string>>,
  identities: readonly Identity[],
): Promise<number> {
  const plain = await openAll(file, identities)
  for (const secret of plain) file.put(secret, await sealValue(secret, secret, readers))
  file.setReaders(readers)
  return plain.length
}

/** For an environment that begins as another one: values are bound to their environment, so that files cannot be copied. */
export async function copySecrets(
  from: SecretFile,
  to: SecretFile,
  readers: Readonly<Record<string, string>>,
  identities: readonly Identity[],
): Promise<number> {
  const plain = await openAll(from, identities)
  for (const secret of plain)
    to.put(secret, await sealValue({ ...secret, environment: to.environment }, secret, readers))
  to.setReaders(readers)
  return plain.length
}
