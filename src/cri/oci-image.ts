// An OCI image in memory: one layer of files, its configuration and manifest, each with its digest.
// Enough for the sandbox image and for test images.
import { createHash } from 'node:crypto'
import { arch } from 'node:os'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'

export interface ImageFile {
  readonly path: string
  readonly content?: Uint8Array
  /** Target of a symbolic link. */
  readonly link?: string
  readonly mode?: number
}

export interface ImageOptions {
  readonly files: readonly ImageFile[]
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: readonly string[]
  readonly user?: string
  readonly workingDirectory?: string
}

export interface Blob {
  readonly mediaType: string
  readonly digest: string
  readonly content: Buffer
}

export interface OciImage {
  readonly manifest: Blob
  readonly config: Blob
  readonly layers: readonly Blob[]
}

const goArchitecture: Readonly<Record<string, string>> = { x64: 'amd64' }

export async function ociImage(options: ImageOptions): Promise<OciImage> {
  const layer = blob('application/vnd.oci.image.layer.v1.tar', await layerOf(options.files))
  const config = jsonBlob('application/vnd.oci.image.config.v1+json', {
    architecture: goArchitecture[arch()] ?? arch(),
    os: 'linux',
    config: {
      ...(options.entrypoint && { Entrypoint: options.entrypoint }),
      ...(options.command && { Cmd: options.command }),
      ...(options.environment && { Env: options.environment }),
      ...(options.user && { User: options.user }),
      ...(options.workingDirectory && { WorkingDir: options.workingDirectory }),
    },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  })
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = jsonBlob(mediaType, {
    schemaVersion: 2,
    mediaType,
    config: descriptorOf(config),
    layers: [descriptorOf(layer)],
  })
  return { manifest, config, layers: [layer] }
}

const descriptorOf = (blob: Blob): object => ({
  mediaType: blob.mediaType,
  digest: blob.digest,
  size: blob.content.length,
})

function blob(mediaType: string, content: Buffer): Blob {
  return { mediaType, digest: `sha256:${createHash('sha256').update(content).digest('hex')}`, content }
}

const jsonBlob = (mediaType: string, value: object): Blob => blob(mediaType, Buffer.from(JSON.stringify(value)))

/** Times are zero, so that the same files have the same digest. */
async function layerOf(files: readonly ImageFile[]): Promise<Buffer> {
  const tar = pack()
  for (const { path, content, link, mode } of files) {
    const head = { name: path, mtime: new Date(0), uid: 0, gid: 0 }
    if (link !== undefined) tar.entry({ ...head, type: 'symlink', linkname: link })
    else if (content === undefined) tar.entry({ ...head, type: 'directory', mode: mode ?? 0o755 })
    else tar.entry({ ...head, mode: mode ?? 0o644 }, Buffer.from(content))
  }
  tar.finalize()
  return await buffer(tar)
}
