// Secrets of an environment, as whoever gives the command may read them.
import { DeployError } from '../delivery/deploy-error.ts'
import { secretsFor } from '../delivery/secrets/secrets-for.ts'
import { identitySource } from './identity-source.ts'
import { secretFolderOf } from './secret-folder-of.ts'
import type { Target } from './target.ts'

/** @param service undefined: only what is for all services @throws DeployError with all that are missing or closed */
export async function secretValues(
  target: Target,
  service: string | undefined,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = await secretsFor(secretFolderOf(target.folder), identitySource(), {
    environment: target.environment,
    extends: target.settings?.extends ?? [],
    service,
    names,
  })
  if ('mistakes' in found) throw new DeployError(found.mistakes.join('\n'))
  return found.values
}
