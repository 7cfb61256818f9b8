// Which registry knows an image of a manifest, and what its tag stands for there.
import type { RegistryHosting } from '../client/registry-hosting.ts'
import { DeployError } from '../delivery/deploy-error.ts'
import { localRegistry } from '../delivery/manifest/manifest.ts'
import { findDigest } from '../images/client/find-digest.ts'
import { parseImageReference } from '../images/image-reference.ts'

const dockerHub = 'registry-1.docker.io'

/** Where the cluster's own registry is; undefined: it has none, or does not say. */
type Hosting = () => Promise<RegistryHosting | undefined>

/** `reason`: why the digest cannot be told. `absent`: its registry has no such image, and what there is to do. */
type FoundImage = { readonly digest: string } | { readonly reason: string } | { readonly absent: string }

/** @throws DeployError when it is no name of an image */
export async function findImage(hosting: Hosting, image: string): Promise<FoundImage> {
  const reference = parseImageReference(image)
  if (reference?.tag === undefined)
    throw new DeployError(`expected an image such as sampan.local/web and a version such as 1.0.0, found "${image}"`)
  const { registry = 'docker.io', repository, tag } = reference
  const place = await registryUrl(hosting, registry)
  if (typeof place !== 'string') return place
  const answer = await findDigest(
    place,
    registry === 'docker.io' && !repository.includes('/') ? `library/${repository}` : repository,
    tag,
  )
  if (!('tags' in answer)) return answer
  const known = answer.tags.length === 0 ? 'none of that name' : answer.tags.join(', ')
  const next = registry === localRegistry ? `; make it with: sampan build --tag ${repository}:${tag}` : ''
  return { absent: `there is no image ${image}; its registry has ${known}${next}` }
}

async function registryUrl(hosting: Hosting, registry: string): Promise<string | { readonly reason: string }> {
  if (registry !== localRegistry) {
    const name = registry === 'docker.io' ? dockerHub : registry
    return `${/^(localhost|127\.)/.test(name) ? 'http' : 'https'}://${name}`
  }
  try {
    const found = await hosting()
    return found === undefined ? { reason: `this cluster does not say where its registry is` } : `http://${found.host}`
  } catch (error) {
    return { reason: `where the cluster's registry is could not be read: ${(error as Error).message}` }
  }
}
