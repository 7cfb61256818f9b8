// An image of a registry becomes one file that all tools take: an OCI layout (skopeo, podman, containerd, buildah) which
// holds docker's `manifest.json` as well (docker load). What several images share is in it once.
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack, type Pack } from 'tar-stream'
import { isIndex, layoutType, ofThisMachine, parseImage } from './image-manifest.ts'
import type { FoundManifest } from '../client/registry-client.ts'
import type { RegistryContent } from '../client/registry-content.ts'
import type { Descriptor } from '../descriptor.ts'
import { indexType } from '../media-types.ts'
import { ArchiveError } from './archive-error.ts'

export interface ExportedImage {
  readonly repository: string
  /** A tag or a digest. */
  readonly reference: string
  /** As other tools are to call it: `sampan.local/web:1.0`. */
  readonly name: string
}

/** The file is there whole or not at all. @returns bytes of the images. @throws ArchiveError */
export async function exportImages(
  registry: RegistryContent,
  images: readonly ExportedImage[],
  file: string,
): Promise<number> {
  const temporary = `${file}.partial`
  const tar = pack()
  const writing = pipeline(tar, createWriteStream(temporary, { highWaterMark: 1024 * 1024 }))
  let fault: unknown
  writing.catch((error: Error) => {
    fault ??= error
    tar.destroy(error)
  })
  try {
    const archive = new ArchiveWriter(registry, tar)
    for (const image of images) await archive.add(image)
    await archive.finish()
    await writing
    await rename(temporary, file)
    return archive.bytes
  } catch (error) {
    // What it could not be written for, if that was it: then nothing could be added any more.
    fault ??= error
    tar.destroy()
    await writing.catch(() => {})
    await rm(temporary, { force: true })
    const { code, message } = fault as NodeJS.ErrnoException
    if (code === undefined) throw fault
    throw new ArchiveError(`${file} cannot be written: ${code === 'ENOSPC' ? 'the disk is full' : message}`)
  }
}

interface DockerEntry {
  readonly Config: string
  readonly RepoTags: readonly string[]
  readonly Layers: readonly string[]
}

class ArchiveWriter {
  bytes = 0
  private readonly registry: RegistryContent
  private readonly tar: Pack
  private readonly written = new Set<string>()
  private readonly index: Descriptor[] = []
  private readonly docker: DockerEntry[] = []

  constructor(registry: RegistryContent, tar: Pack) {
    this.registry = registry
    this.tar = tar
  }

  async add({ repository, reference, name }: ExportedImage): Promise<void> {
    const manifest = await this.registry.at(repository).manifest(reference)
    if (manifest === undefined) throw new ArchiveError(`there is no image ${name} in the registry`)
    await this.addManifest(repository, manifest)
    const tag = name.slice(name.lastIndexOf('/') + 1).split(':')[1]
    const { digest, mediaType, content } = manifest
    this.index.push({
      mediaType,
      digest,
      size: content.length,
      annotations: {
        'io.containerd.image.name': name,
        ...(tag !== undefined && !tag.includes('@') && { 'org.opencontainers.image.ref.name': tag }),
      },
    })
    const own = await this.forDocker(repository, manifest)
    if (own === undefined) return
    const { config, layers } = own
    const tags = tag === undefined || name.includes('@') ? [] : [name]
    this.docker.push({ Config: pathOf(config.digest), RepoTags: tags, Layers: layers.map(each => pathOf(each.digest)) })
  }

  /** docker knows one image under a name, that of its machine. */
  private async forDocker(
    repository: string,
    { content }: FoundManifest,
  ): Promise<{ config: Descriptor; layers: readonly Descriptor[] } | undefined> {
    const parsed = parseImage(content)
    if (!isIndex(parsed)) return parsed
    const own = ofThisMachine(parsed)
    const found = own && (await this.registry.at(repository).manifest(own.digest))
    return found && this.forDocker(repository, found)
  }

  private async addManifest(repository: string, { digest, content }: FoundManifest): Promise<void> {
    if (this.written.has(digest)) return
    const parsed = parseImage(content)
    if (isIndex(parsed))
      for (const child of parsed.manifests) {
        const found = await this.registry.at(repository).manifest(child.digest)
        if (found !== undefined) await this.addManifest(repository, found)
      }
    else
      for (const { digest: blob, size } of [parsed.config, ...parsed.layers])
        if (!this.written.has(blob)) {
          this.written.add(blob)
          this.bytes += size
          await this.write(pathOf(blob), size, await this.registry.at(repository).streamBlob(blob))
        }
    this.written.add(digest)
    this.bytes += content.length
    await this.writeBytes(pathOf(digest), content)
  }

  async finish(): Promise<void> {
    const index = { schemaVersion: 2, mediaType: indexType, manifests: this.index }
    await this.writeBytes('index.json', Buffer.from(JSON.stringify(index)))
    await this.writeBytes('manifest.json', Buffer.from(JSON.stringify(this.docker)))
    await this.writeBytes('oci-layout', Buffer.from(JSON.stringify(layoutType)))
    this.tar.finalize()
  }

  private writeBytes(name: string, content: Buffer): Promise<void> {
    return this.write(name, content.length, Readable.from([content]))
  }

  private async write(name: string, size: number, content: Readable): Promise<void> {
    // No time of its own: the same image is the same file.
    await pipeline(content, this.tar.entry({ name, size, mode: 0o644, mtime: new Date(0) }))
  }
}

const pathOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`
