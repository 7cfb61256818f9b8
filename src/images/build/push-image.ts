// Layers become an image: in a registry, or in a file that `docker load` and `podman load` take.
import { digestOf, type RegistryClient } from '../client/registry-client.ts'
import { configType, imageType } from '../media-types.ts'
import { spdxDocument, spdxType } from './bill-of-materials.ts'
import type { Component, ContainerConfig } from './image-content.ts'
import { writeLayer, type Layer } from './layers/layer.ts'

export interface BuiltImage {
  readonly digest: string
  readonly sizeBytes: number
}

export interface PushedImage extends BuiltImage {
  /** Size of its manifest. */
  readonly manifestBytes: number
}

export interface ImageName {
  /** Without registry and tag. */
  readonly repository: string
  readonly tag: string
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64' }
/** As images name that of this machine. */
export const architecture = architectures[process.arch] ?? process.arch

const emptyType = 'application/vnd.oci.empty.v1+json'

function configurationBytes(layers: readonly Layer[], { repository, tag }: ImageName, config: ContainerConfig): Buffer {
  return Buffer.from(
    JSON.stringify({
      architecture,
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

/** What is in an image, and what found it out. */
export interface Bill {
  readonly components: readonly Component[]
  readonly tool: string
}

/**
 * The tag leads to the image when all of it is there, not before.
 * @param bill goes beside it, as its referrer
 */
export async function pushImage(
  registry: RegistryClient,
  name: ImageName,
  layers: readonly Layer[],
  config: ContainerConfig,
  bill?: Bill,
): Promise<PushedImage> {
  const configuration = configurationBytes(layers, name, config)
  const manifest = manifestBytes(configuration, layers)
  const image = { digest: digestOf(manifest), sizeBytes: sizeOf(layers), manifestBytes: manifest.length }
  const referrer = bill && billReferrer(name, image, bill)
  await Promise.all([
    ...[configuration, ...(referrer?.blobs ?? [])].map(bytes => registry.pushBytes(bytes)),
    ...layers.map(layer => registry.pushFile(layer.file, layer)),
  ])
  await registry.pushManifest(name.tag, imageType, manifest)
  if (referrer !== undefined) await registry.pushReferrer(image.digest, referrer.manifest, spdxType)
  return image
}

const manifestBytes = (configuration: Buffer, layers: readonly Layer[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: {
        mediaType: configType,
        digest: digestOf(configuration),
        size: configuration.length,
      },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  )

function billReferrer(
  name: ImageName,
  image: PushedImage,
  { components, tool }: Bill,
): { readonly blobs: readonly Buffer[]; readonly manifest: Buffer } {
  const document = Buffer.from(JSON.stringify(spdxDocument(components, { ...name, digest: image.digest, tool })))
  const empty = Buffer.from('{}')
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      artifactType: spdxType,
      config: { mediaType: emptyType, digest: digestOf(empty), size: empty.length },
      layers: [{ mediaType: spdxType, digest: digestOf(document), size: document.length }],
      subject: { mediaType: imageType, digest: image.digest, size: image.manifestBytes },
    }),
  )
  return { blobs: [document, empty], manifest }
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
  const digest = digestOf(configuration)
  const hex = digest.slice('sha256:'.length)
  const nameOf = (layer: Layer): string => `${layer.digest.slice('sha256:'.length)}.tar`
  const index = [{ Config: `${hex}.json`, RepoTags: [`${name.repository}:${name.tag}`], Layers: layers.map(nameOf) }]
  await writeLayer(file, [
    { path: 'manifest.json', kind: 'file', source: Buffer.from(JSON.stringify(index)) },
    { path: `${hex}.json`, kind: 'file', source: configuration },
    ...layers.map(layer => ({ path: nameOf(layer), kind: 'file', source: layer.file }) as const),
  ])
  return { digest, sizeBytes: sizeOf(layers) }
}
