// Looks at everything that can be pulled from a registry: each tag leads to a manifest, each manifest to what it names,
// and all of it has the digest that it is named by.
import { digestOf } from '../images/registry/digest.ts'
import { namedBy, parseManifest } from '../images/registry/manifest.ts'
import type { RegistryCalls } from './registry-fixture.ts'

/** @returns what is not as it should be, a line each */
export async function faultsOf(registry: RegistryCalls): Promise<string[]> {
  const faults: string[] = []
  const seen = new Set<string>()
  async function look(path: string, digest?: string): Promise<Buffer | undefined> {
    if (digest !== undefined && seen.has(path)) return undefined
    seen.add(path)
    const response = await registry.call('GET', path)
    const content = Buffer.from(await response.arrayBuffer())
    const named = digest ?? response.headers.get('docker-content-digest')!
    if (response.status !== 200) faults.push(`${path}: ${response.status} ${content}`)
    else if (digestOf(content) !== named) faults.push(`${path}: its digest is ${digestOf(content)}`)
    else return content
    return undefined
  }
  async function lookAtManifest(repository: string, reference: string, digest?: string): Promise<void> {
    const content = await look(`${repository}/manifests/${reference}`, digest)
    if (content === undefined) return
    const named = namedBy(parseManifest(content))
    for (const blob of named.blobs) await look(`${repository}/blobs/${blob}`, blob)
    for (const child of named.manifests) await lookAtManifest(repository, child, child)
  }
  const { repositories } = await registry.json<{ repositories: string[] }>('_catalog')
  for (const repository of repositories) {
    const { tags } = await registry.json<{ tags: string[] }>(`${repository}/tags/list`)
    for (const tag of tags) await lookAtManifest(repository, tag)
  }
  return faults
}
