// Fetches a base image from its registry, once: what was fetched is kept by digest, and what a tag stood for last is
// kept for the time when its registry cannot be asked. What breaks off goes on with the next build.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { holdLock } from '../../../host/lock.ts'
import { dockerHub, localRegistry } from '../../client/place.ts'
import type { Content, FoundManifest, RegistryClient } from '../../client/registry-client.ts'
import type { Descriptor } from '../../descriptor.ts'
import { markUsed } from '../layers/prune-layers.ts'
import { parseImageReference, type ImageReference } from '../../image-reference.ts'
import { BuildError } from '../build-error.ts'
import type { ContainerConfig } from '../image-content.ts'
import type { Layer } from '../layers/layer.ts'
import { architecture } from '../push-image.ts'
import { writeWhole } from '../write-whole.ts'
import { BaseFiles, namesInLayer, type LayerNames } from './base-files.ts'
import type { BaseImage } from './base-image.ts'

export interface BaseSource {
  readonly cacheDirectory: string
  /** @param registry host with port */
  readonly connect: (registry: string, repository: string) => RegistryClient
  /** Where images called `sampan.local/NAME` are. */
  readonly localRegistry: string
  readonly progress: (step: string, cached: boolean) => void
  readonly note: (text: string) => void
}

interface ManifestJson {
  readonly config?: Descriptor
  readonly layers?: readonly Descriptor[]
  readonly manifests?: readonly Descriptor[]
}

/** @throws BuildError */
export async function pullBase(name: string, source: BaseSource): Promise<BaseImage> {
  const reference = parseImageReference(name)
  if (reference === undefined)
    throw new BuildError(`expected the name of an image such as debian:12-slim as base, found "${name}"`)
  const { registry = dockerHub, repository } = reference
  const client = source.connect(registry === localRegistry ? source.localRegistry : registry, repository)
  try {
    const folder = join(source.cacheDirectory, 'base')
    await mkdir(join(folder, 'names'), { recursive: true, mode: 0o700 })
    return await new BasePull(name, client, folder, source).pull(reference)
  } finally {
    client.close()
  }
}

class BasePull {
  private readonly name: string
  private readonly client: RegistryClient
  private readonly folder: string
  private readonly source: BaseSource

  constructor(name: string, client: RegistryClient, folder: string, source: BaseSource) {
    this.name = name
    this.client = client
    this.folder = folder
    this.source = source
  }

  async pull(reference: ImageReference): Promise<BaseImage> {
    const digest = reference.digest ?? (await this.digestOf(reference.tag ?? 'latest'))
    const manifest = await this.imageManifest(digest)
    const { config, layers = [] } = JSON.parse(manifest.content.toString()) as ManifestJson
    if (config === undefined)
      throw new BuildError(`${this.name} is no image that can be built upon (${manifest.mediaType})`)
    await Promise.all(layers.map(({ digest }) => markUsed(this.blobFile(digest))))
    const missing = layers.filter(layer => !existsSync(this.blobFile(layer.digest)))
    const bytes = missing.reduce((sum, { size }) => sum + size, 0)
    const configuration = JSON.parse((await this.blob(config)).toString()) as {
      config?: ContainerConfig
      rootfs: { diff_ids: string[] }
    }
    const found = await Promise.all(
      layers.map(async ({ digest: layerDigest, size, mediaType }, index): Promise<Layer> => ({
        digest: layerDigest,
        size,
        mediaType: ociType(mediaType),
        diffId: configuration.rootfs.diff_ids[index]!,
        file: await this.fetched({ digest: layerDigest, size }),
      })),
    )
    this.source.progress(
      missing.length === 0 ? `base image ${this.name}` : `base image ${this.name} (${Math.ceil(bytes / 1e6)} MB)`,
      missing.length === 0,
    )
    const files = new BaseFiles(await Promise.all(found.map(layer => this.names(layer))))
    return {
      name: this.name,
      digest,
      layers: found,
      config: configuration.config ?? {},
      has: path => files.has(path),
    }
  }

  private async digestOf(tag: string): Promise<string> {
    const key = createHash('sha256').update(`${this.client.repository} ${this.name}`).digest('hex')
    const file = join(this.folder, `tag-${key}`)
    try {
      const digest = await this.client.digestOf(tag)
      if (digest !== undefined) {
        await writeWhole(file, digest)
        return digest
      }
    } catch (error) {
      const kept = await readFile(file, 'utf8').catch(() => undefined)
      if (kept === undefined) throw error
      this.source.note(`${(error as Error).message}; ${this.name} is taken as it was last, ${kept}`)
      return kept
    }
    const tags = await this.client.tags().catch((): string[] => [])
    throw new BuildError(
      `there is no image ${this.name} to build upon; its registry has ${tags.length === 0 ? 'none of that name' : tags.slice(-10).join(', ')}`,
    )
  }

  /** That of this machine's platform, where the image is made for several. */
  private async imageManifest(digest: string): Promise<FoundManifest> {
    const found = await this.manifest(digest)
    const { manifests } = JSON.parse(found.content.toString()) as ManifestJson
    if (manifests === undefined) return found
    const fitting = manifests.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture)
    if (fitting !== undefined) return this.manifest(fitting.digest)
    const platforms = manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`)
    throw new BuildError(`${this.name} is there for ${platforms.join(', ')}, but not for linux/${architecture}`)
  }

  private async manifest(digest: string): Promise<FoundManifest> {
    const file = join(this.folder, `manifest-${digest.replace(':', '-')}`)
    const kept = await readFile(file, 'utf8').catch(() => undefined)
    if (kept !== undefined) {
      const { mediaType, content } = JSON.parse(kept) as { mediaType: string; content: string }
      return { digest, mediaType, content: Buffer.from(content) }
    }
    const found = await this.client.manifest(digest)
    if (found === undefined) throw new BuildError(`the registry of ${this.name} has no manifest ${digest}`)
    await writeWhole(file, JSON.stringify({ mediaType: found.mediaType, content: found.content.toString() }))
    return found
  }

  private async blob(content: Content): Promise<Buffer> {
    return readFile(await this.fetched(content))
  }

  private async fetched(content: Content): Promise<string> {
    const file = this.blobFile(content.digest)
    if (existsSync(file)) return file
    const lock = await holdLock(`sampan-base-${createHash('sha256').update(file).digest('hex')}`)
    // Another build fetches it just now; what it has so far is not to be written into.
    const part = lock === undefined ? `${file}.part-${process.pid}` : `${file}.part`
    try {
      await this.client.pullBlob(content, part)
      await rename(part, file)
      return file
    } finally {
      lock?.release()
    }
  }

  private async names({ digest, mediaType, file }: Layer): Promise<LayerNames> {
    const kept = join(this.folder, 'names', digest.replace(':', '-'))
    const known = await readFile(kept, 'utf8').catch(() => undefined)
    if (known !== undefined) return JSON.parse(known) as LayerNames
    const names = await namesInLayer(file, mediaType)
    await writeWhole(kept, JSON.stringify(names))
    return names
  }

  private blobFile(digest: string): string {
    return join(this.folder, digest.replace(':', '-'))
  }
}

/** Docker's older names of the same. */
const ociType = (mediaType: string): string =>
  mediaType.replace('application/vnd.docker.image.rootfs.diff.tar.gzip', 'application/vnd.oci.image.layer.v1.tar+gzip')
