// Secrets of an environment, as whoever gives the command may read them.
import { dirname } from 'node:path'
import { DeployError } from '../delivery/deploy-error.ts'
import { SecretFolder } from '../delivery/secrets/secret-folder.ts'
import { secretsFor } from '../delivery/secrets/secrets-for.ts'
import type { FoundManifest } from './find-manifest.ts'
import { identitySource } from './identity-source.ts'
import { manifestChain } from './secret-project.ts'
import type { Target } from './target.ts'

/**
 * @param service undefined: only what is for all services
 * @param manifest of the service: where there is no sampan.yml, secrets are beside it, and environments inherit as it says
 * @throws DeployError with all that are missing or closed
 */
export async function secretValues(
  target: Target,
  service: string | undefined,
  names: readonly string[],
  manifest?: FoundManifest,
): Promise<ReadonlyMap<string, string>> {
  const alone = target.team === undefined ? manifest : undefined
  const found = await secretsFor(
    new SecretFolder(alone === undefined ? target.folder : dirname(alone.file)),
    identitySource(),
    {
      environment: target.environment,
      extends: alone === undefined ? (target.settings?.extends ?? []) : manifestChain(alone.text, target.environment),
      service,
      names,
    },
  )
  if ('mistakes' in found) throw new DeployError(found.mistakes.join('\n'))
  return found.values
}
