// Secrets of an environment, as whoever gives the command may read them.
import { DeployError } from '../delivery/deploy-error.ts'
import type { IdentitySource } from '../delivery/secrets/identities.ts'
import { SecretFolder } from '../delivery/secrets/secret-folder.ts'
import { secretsFor } from '../delivery/secrets/secrets-for.ts'
import { environmentIn, findSecretProject } from './secret-project.ts'

export interface WantedValues {
  /** Where sampan.yml or app.yml is, or a folder below. */
  readonly folder: string
  readonly environment: string
  /** undefined: only what is for all services. */
  readonly service: string | undefined
  readonly names: readonly string[]
}

/** @throws DeployError with all that are missing or closed to this person */
export async function secretValues(
  { folder, environment, service, names }: WantedValues,
  identity: IdentitySource,
): Promise<ReadonlyMap<string, string>> {
  const project = findSecretProject(folder)
  const { extends: parents } = environmentIn(project, environment)
  const found = await secretsFor(new SecretFolder(project.root), identity, {
    environment,
    extends: parents,
    service,
    names,
  })
  if ('mistakes' in found) throw new DeployError(found.mistakes.join('\n'))
  return found.values
}
