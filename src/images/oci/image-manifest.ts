// Manifests and configurations of images, as far as archives and people look into them. Pure. Source: OCI image
// specification 1.1; docker's image manifest version 2, schema 2, which says the same in other media types.
import type { Descriptor, Platform } from '../descriptor.ts'
import { ArchiveError } from './archive-error.ts'

export const layoutType = { imageLayoutVersion: '1.0.0' }

export interface ImageManifest {
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

export interface ImageIndex {
  readonly manifests: readonly Descriptor[]
}

export interface ImageConfig extends Platform {
  readonly created?: string
  readonly config?: {
    readonly User?: string
    readonly Env?: readonly string[]
    readonly Entrypoint?: readonly string[] | null
    readonly Cmd?: readonly string[] | null
    readonly WorkingDir?: string
    readonly ExposedPorts?: Readonly<Record<string, object>> | null
    readonly Labels?: Readonly<Record<string, string>> | null
  }
}

/** @throws ArchiveError */
export function parseImage(content: Buffer): ImageManifest | ImageIndex {
  const parsed = parseJson(content, 'a manifest') as Partial<ImageManifest & ImageIndex> | null
  if (Array.isArray(parsed?.manifests)) return { manifests: parsed.manifests }
  if (typeof parsed?.config?.digest === 'string' && Array.isArray(parsed.layers)) return parsed as ImageManifest
  throw new ArchiveError('expected the manifest of an image, or an index of such, found something else')
}

export const isIndex = (image: ImageManifest | ImageIndex): image is ImageIndex => 'manifests' in image

/** @throws ArchiveError */
export function parseJson(content: Buffer, what: string): unknown {
  try {
    return JSON.parse(content.toString()) as unknown
  } catch (error) {
    throw new ArchiveError(`expected ${what} in JSON: ${(error as Error).message}`)
  }
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64' }

/** The image for this machine; the only one, where no platform is said. */
export function ofThisMachine({ manifests }: ImageIndex, architecture: string = process.arch): Descriptor | undefined {
  const wanted = architectures[architecture] ?? architecture
  const fitting = manifests.find(({ platform }) => platform?.os === 'linux' && platform.architecture === wanted)
  return fitting ?? (manifests.length === 1 ? manifests[0] : undefined)
}
