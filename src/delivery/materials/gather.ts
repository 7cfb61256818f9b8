// Gathers what a deployment is made of: the image as it is found, files, secrets, and what it has on backing services.
// All that is missing is told at once, before anything is changed.
import { DeployError } from '../deploy-error.ts'
import type { Bundle } from '../engine/parts.ts'
import { loginSecretsOf, secretsOf, type Manifest } from '../manifest/manifest.ts'
import { bundleOf, fileKey, largestBundle } from '../plan/bundles.ts'
import type { ImageFound, Materials } from '../plan/materials.ts'
import { serviceMaterial, type ServiceMaterialsInput } from './service-materials.ts'

export interface Sources extends Omit<ServiceMaterialsInput, 'secret'> {
  /** @param reference with tag */
  readonly image: (reference: string) => Promise<ImageFound>
  /** Bytes of a file beside the manifest. @throws when it cannot be read */
  readonly readFile: (source: string) => Promise<Uint8Array>
  /** Values of secrets for this service and environment. @throws DeployError with all that are missing */
  readonly secrets: (names: readonly string[]) => Promise<ReadonlyMap<string, string>>
}

export async function gather(manifest: Manifest, version: string, sources: Sources): Promise<Materials> {
  const servers = manifest.services.flatMap(({ type }) => sources.external(type) ?? [])
  const mistakes: string[] = []
  const orTold = async <T>(work: Promise<T>): Promise<T | undefined> =>
    work.catch((error: unknown) => {
      mistakes.push((error as Error).message)
      return undefined
    })
  const secretNames = secretsOf(manifest)
  const loginNames = loginSecretsOf(manifest)
  const names = [...new Set([...secretNames, ...loginNames, ...servers.map(({ password }) => password)])]
  const [image, sidecarImages, files, values] = await Promise.all([
    orTold(sources.image(`${manifest.image}:${version}`)),
    orTold(sidecarImagesOf(manifest, sources)),
    orTold(filesOf(manifest, sources)),
    orTold(names.length === 0 ? Promise.resolve(new Map<string, string>()) : sources.secrets(names)),
  ])
  if (image === undefined || sidecarImages === undefined || values === undefined || mistakes.length > 0)
    throw new DeployError(mistakes.join('\n'))
  const secret = (name: string): string => values.get(name)!
  const services = await Promise.all(manifest.services.map(wish => serviceMaterial(wish, { ...sources, secret })))
  return {
    image,
    sidecarImages,
    services,
    ...(files !== undefined && { files }),
    ...(secretNames.length > 0 && {
      secrets: bundleOf(
        manifest.name,
        'secrets',
        true,
        Object.fromEntries(secretNames.map(name => [name, secret(name)])),
      ),
    }),
    ...(loginNames.length > 0 && {
      logins: Object.fromEntries(
        loginNames.map(name => [name, bundleOf(manifest.name, 'login', true, { 'client-secret': secret(name) })]),
      ),
    }),
  }
}

async function sidecarImagesOf({ sidecars }: Manifest, sources: Sources): Promise<Record<string, ImageFound>> {
  const found = sidecars.map(async ({ name, image }) =>
    image === undefined ? [] : [[name, await sources.image(image)] as const],
  )
  return Object.fromEntries((await Promise.all(found)).flat())
}

async function filesOf({ name, files, sidecars }: Manifest, { readFile }: Sources): Promise<Bundle | undefined> {
  const wanted = [
    ...files.map(({ path, source }) => ({ key: fileKey(path), source })),
    ...sidecars.flatMap(sidecar =>
      sidecar.files.map(({ path, source }) => ({ key: fileKey(path, sidecar.name), source })),
    ),
  ]
  if (wanted.length === 0) return undefined
  const entries: Record<string, Uint8Array> = {}
  const mistakes: string[] = []
  for (const { key, source } of wanted)
    try {
      entries[key] = await readFile(source)
    } catch (error) {
      mistakes.push(`files: ${source} cannot be read: ${(error as Error).message}`)
    }
  const size = Object.values(entries).reduce((sum, { length }) => sum + length, 0)
  if (size > largestBundle)
    mistakes.push(
      `files: expected at most ${largestBundle / 1024} KiB altogether, found ${Math.ceil(size / 1024)}; put large ones into the image`,
    )
  if (mistakes.length > 0) throw new DeployError(mistakes.join('\n'))
  return bundleOf(name, 'files', false, entries)
}
