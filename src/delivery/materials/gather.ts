// Gathers what a deployment is made of: the image as it is found, files, secrets, and what it has on backing services.
// All that is missing is told at once, before anything is changed.
import { DeployError } from '../deploy-error.ts'
import type { Bundle } from '../engine/parts.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { bundleOf, fileKey } from '../plan/bundles.ts'
import type { ImageFound, Materials } from '../plan/materials.ts'
import { serviceMaterial, type ServiceMaterialsInput } from './service-materials.ts'

export interface Sources extends Omit<ServiceMaterialsInput, 'secret'> {
  readonly image: () => Promise<ImageFound>
  /** Bytes of a file beside the manifest. @throws when it cannot be read */
  readonly readFile: (source: string) => Promise<Uint8Array>
  /** Values of secrets for this service and environment. @throws DeployError with all that are missing */
  readonly secrets: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>
}

export async function gather(manifest: Manifest, sources: Sources): Promise<Materials> {
  const servers = manifest.services.flatMap(({ type }) => sources.external(type) ?? [])
  const mistakes: string[] = []
  const orTold = async <T>(work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      mistakes.push((error as Error).message)
      return undefined
    })
  const names = [...new Set([...manifest.secrets, ...servers.map(({ password }) => password)])]
  const [image, files, values] = await Promise.all([
    orTold(sources.image()),
    orTold(filesOf(manifest, sources)),
    orTold(names.length === 0 ? Promise.resolve(new Map<string, string>()) : sources.secrets(names)),
  ])
  if (image === undefined || values === undefined || mistakes.length > 0) throw new DeployError(mistakes.join('\n'))
  const secret = (name: string): string => values.get(name)!
  const services = await Promise.all(manifest.services.map(wish => serviceMaterial(wish, { ...sources, secret })))
  return {
    image,
    services,
    ...(files !== undefined && { files }),
    ...(manifest.secrets.length > 0 && {
      secrets: bundleOf(
        manifest.name,
        'secrets',
        true,
        Object.fromEntries(manifest.secrets.map(name => [name, secret(name)])),
      ),
    }),
  }
}

async function filesOf({ name, files }: Manifest, { readFile }: Sources): Promise<Bundle | undefined> {
  if (files.length === 0) return undefined
  const entries: Record<string, Uint8Array> = {}
  const mistakes: string[] = []
  for (const { path, source } of files)
    try {
      entries[fileKey(path)] = await readFile(source)
    } catch (error) {
      mistakes.push(`files: ${source} cannot be read: ${(error as Error).message}`)
    }
  if (mistakes.length > 0) throw new DeployError(mistakes.join('\n'))
  return bundleOf(name, 'files', false, entries)
}
