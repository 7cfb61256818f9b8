// What the tests share that hold the registry against the specification.
import { digestOf } from '../images/registry/digest.ts'
import { imageType, indexType } from './registry-fixture.ts'

export const octets = { 'Content-Type': 'application/octet-stream' }
export const header = (response: Response, name: string): string | null => response.headers.get(name)

let repositories = 0
/** Each test works in a repository of its own. */
export const ownRepository = (): string => `conformance/r${repositories++}`

export const emptyConfig = '{}'
export const artifactOf = (fields: object): object => ({
  schemaVersion: 2,
  mediaType: imageType,
  config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(emptyConfig), size: 2 },
  layers: [],
  ...fields,
})
export const indexOf = (manifests: readonly string[], fields: object = {}): object => ({
  schemaVersion: 2,
  mediaType: indexType,
  manifests: manifests.map(digest => ({ mediaType: imageType, digest, size: 1 })),
  ...fields,
})
