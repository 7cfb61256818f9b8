// Layers become an image: in a registry, or in a file that `docker load` and `podman load` take.
import { createHash } from 'node:crypto'
import { RegistryClient } from '../client/registry-client.ts'
import type { ContainerConfig } from './image-content.ts'
import { writeLayer, type Layer } from './layers/layer.ts'

export interface BuiltImage {
  readonly digest: string
  readonly sizeBytes: number
}

export interface ImageName {
  /** Without registry and tag. */
  readonly repository: string
  readonly tag: string
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64' }

function configurationBytes(layers: readonly Layer[], { repository, tag }: ImageName, config: ContainerConfig): Buffer {
  return Buffer.from(
    JSON.stringify({
      architecture: architectures[process.arch] ?? process.arch,
      os: 'linux',
      config: {
        ...config,
        Labels: {
          ...config.Labels,
          'org.opencontainers.image.title': repository,
          'org.opencontainers.image.version': tag,
        },
      },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    }),
  )
}

/** @param address of the registry, `127.0.0.1:5000` */
export async function pushImage(
  address: string,
  name: ImageName,
  layers: readonly Layer[],
  config: ContainerConfig,
): Promise<BuiltImage> {
  const registry = new RegistryClient(address, name.repository)
  await Promise.all(layers.map(layer => registry.pushFile(layer.file, layer)))
  const configuration = configurationBytes(layers, name, config)
  const configDigest = await registry.pushBytes(configuration)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: configDigest,
        size: configuration.length,
      },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  )
  return { digest: await registry.pushManifest(name.tag, mediaType, manifest), sizeBytes: sizeOf(layers) }
}

const sizeOf = (layers: readonly Layer[]): number => layers.reduce((sum, { size }) => sum + size, 0)

/** Writes the tar that `docker save` would; its digest is that of the image's configuration, as docker shows it. */
export async function saveImage(
  file: string,
  name: ImageName,
  layers: readonly Layer[],
  config: ContainerConfig,
): Promise<BuiltImage> {
  const configuration = configurationBytes(layers, name, config)
  const hex = createHash('sha256').update(configuration).digest('hex')
  const nameOf = ({ digest }: Layer): string => `${digest.slice('sha256:'.length)}.tar`
  const index = [{ Config: `${hex}.json`, RepoTags: [`${name.repository}:${name.tag}`], Layers: layers.map(nameOf) }]
  await writeLayer(file, [
    { path: 'manifest.json', kind: 'file', source: Buffer.from(JSON.stringify(index)) },
    { path: `${hex}.json`, kind: 'file', source: configuration },
    ...layers.map(layer => ({ path: nameOf(layer), kind: 'file', source: layer.file }) as const),
  ])
  return { digest: `sha256:${hex}`, sizeBytes: sizeOf(layers) }
}
