// Which registry knows an image of a manifest, and what its tag stands for there.
import type { RegistryHosting } from '../client/registry-hosting.ts'
import { DeployError } from '../delivery/deploy-error.ts'
import { findDigest } from '../images/client/find-digest.ts'
import { dockerHub, localRegistry } from '../images/client/place.ts'
import { parseImageReference } from '../images/image-reference.ts'
import { loggedIn } from './registry-login.ts'

/** A registry that is silent for so long is not waited for. */
const silenceMs = 10_000

/** Where the cluster's own registry is; undefined: it has none, or does not say. */
type Hosting = () => Promise<RegistryHosting | undefined>

/** `reason`: why the digest cannot be told. `absent`: its registry has no such image, and what there is to do. */
type FoundImage = { readonly digest: string } | { readonly reason: string } | { readonly absent: string }

/** @throws DeployError when it is no name of an image */
export async function findImage(hosting: Hosting, image: string): Promise<FoundImage> {
  const reference = parseImageReference(image)
  if (reference?.tag === undefined)
    throw new DeployError(`expected an image such as sampan.local/web and a version such as 1.0.0, found "${image}"`)
  const { registry = dockerHub, repository, tag } = reference
  const place = await placeOf(hosting, registry)
  if (typeof place !== 'string') return place
  const client = loggedIn(place, repository, { silenceMs })
  const answer = await findDigest(client, tag).finally(() => client.close())
  if (!('tags' in answer)) return answer
  const known = answer.tags.length === 0 ? 'none of that name' : answer.tags.join(', ')
  const next = registry === localRegistry ? `; make it with: sampan build --tag ${repository}:${tag}` : ''
  return { absent: `there is no image ${image}; its registry has ${known}${next}` }
}

async function placeOf(hosting: Hosting, registry: string): Promise<string | { readonly reason: string }> {
  if (registry !== localRegistry) return registry
  try {
    const found = await hosting()
    return found === undefined ? { reason: `this cluster does not say where its registry is` } : `http://${found.host}`
  } catch (error) {
    return { reason: `where the cluster's registry is could not be read: ${(error as Error).message}` }
  }
}
