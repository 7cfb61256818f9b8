// Images of an archive go into a registry: one that `docker save`, podman, buildah or skopeo wrote, or an OCI layout. It
// is read twice, first what it says of itself, then what the registry does not have yet, so that nothing of it has to be
// unpacked to disk or kept in memory.
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { ArchiveError } from './archive-error.ts'
import { archiveEntries } from './archive-entries.ts'
import { isIndex, parseImage, parseJson, type ImageIndex } from './image-manifest.ts'
import { pathOf, platformIn, presentImage, type ArchiveContent, type PresentImage } from './present-image.ts'
import type { RegistryContent } from '../client/registry-content.ts'
import type { Descriptor } from '../descriptor.ts'
import { digestOf } from '../registry/digest.ts'
import { configType, imageType } from '../media-types.ts'

export interface ImportedImage {
  readonly repository: string
  readonly tag: string
  readonly digest: string
  /** Platforms that its index names and the archive does not hold; undefined: it is whole. */
  readonly absent?: readonly string[]
}

export interface ImportOptions {
  readonly registry: RegistryContent
  readonly file: string
  /** Where an image goes that the archive calls so; undefined: the archive gives it no name. @throws when it cannot be said */
  readonly place: (name: string | undefined) => { readonly repository: string; readonly tag: string }
  readonly progress?: (step: string) => void
}

/** Larger files are layers. */
const documentBytes = 8 * 1024 * 1024

interface Documents extends ArchiveContent {
  readonly links: ReadonlyMap<string, string>
}

/** @throws ArchiveError */
export async function importImages(options: ImportOptions): Promise<ImportedImage[]> {
  const documents = await readDocuments(options.file)
  const layout = documents.texts.get('index.json')
  if (layout !== undefined && documents.texts.has('oci-layout')) return importLayout(options, documents, layout)
  const docker = documents.texts.get('manifest.json')
  if (docker !== undefined) return importDocker(options, documents, docker)
  throw new ArchiveError(
    `${options.file} holds no images: expected an OCI layout (index.json) or an archive of "docker save" (manifest.json)`,
  )
}

async function readDocuments(file: string): Promise<Documents> {
  const texts = new Map<string, Buffer>()
  const links = new Map<string, string>()
  const files = new Set<string>()
  for await (const { name, size, link, isFile, content } of archiveEntries(file)) {
    if (link !== undefined) links.set(name, link)
    if (isFile) files.add(name)
    if (!isFile || size > documentBytes) continue
    const bytes = await buffer(content)
    // Only what may be JSON is kept.
    if (bytes[0] === 0x7b || bytes[0] === 0x5b) texts.set(name, bytes)
  }
  return { texts, links, files }
}

function documentOf({ texts }: Documents, path: string): Buffer {
  const found = texts.get(path)
  if (found === undefined) throw new ArchiveError(`the archive names ${path}, which is not in it; it is damaged`)
  return found
}

async function importLayout(options: ImportOptions, documents: Documents, index: Buffer): Promise<ImportedImage[]> {
  const { manifests } = parseImage(index) as ImageIndex
  const imported: ImportedImage[] = []
  for (const descriptor of manifests ?? []) {
    const name = nameIn(descriptor)
    const { repository, tag } = options.place(name)
    const image = imageIn(documents, descriptor, name ?? descriptor.digest)
    await pushBlobs(options, repository, new Map(blobsOf(image).map(digest => [pathOf(digest), digest])))
    await pushManifest(options.registry, repository, image)
    const { mediaType } = image.descriptor
    const { digest } = await options.registry.at(repository).pushManifest(tag, mediaType, image.content)
    imported.push({ repository, tag, digest, ...(image.absent.length > 0 && { absent: image.absent }) })
  }
  if (imported.length === 0) throw new ArchiveError(`${options.file} holds no images: its index.json is empty`)
  return imported
}

/** An image without an index is whole: what is not in the archive has to be in the registry. */
function imageIn(documents: Documents, descriptor: Descriptor, name: string): PresentImage {
  const content = documentOf(documents, pathOf(descriptor.digest))
  const parsed = parseImage(content)
  if (!isIndex(parsed)) return { descriptor, content, children: [], absent: [] }
  const found = presentImage(documents, descriptor, digestOf)
  if (found !== undefined) return found
  throw new ArchiveError(
    `the archive names ${name} for ${parsed.manifests.flatMap(platformIn).join(', ')}, and holds none of these whole; pull the one that you need, and save it again (docker pull --platform, docker save)`,
  )
}

function nameIn({ annotations = {} }: Descriptor): string | undefined {
  const tag = annotations['org.opencontainers.image.ref.name']
  return annotations['io.containerd.image.name'] ?? (tag?.includes(':') === true ? tag : undefined)
}

function blobsOf({ content, children }: PresentImage): string[] {
  const parsed = parseImage(content)
  return isIndex(parsed) ? children.flatMap(blobsOf) : [parsed.config, ...parsed.layers].map(({ digest }) => digest)
}

/** What an index names comes before it. */
async function pushManifest(registry: RegistryContent, repository: string, image: PresentImage): Promise<void> {
  for (const child of image.children) await pushManifest(registry, repository, child)
  const { digest, mediaType } = image.descriptor
  await registry.at(repository).pushManifest(digest, mediaType, image.content)
}

/** @param wanted the digest that each file of the archive has to have; what is there already is not read */
async function pushBlobs(
  { registry, file, progress }: ImportOptions,
  repository: string,
  wanted: ReadonlyMap<string, string>,
): Promise<void> {
  const missing = new Map<string, string>()
  for (const [path, digest] of wanted) if (!(await registry.at(repository).hasBlob(digest))) missing.set(path, digest)
  if (missing.size === 0) return
  for await (const { name, content } of archiveEntries(file)) {
    const digest = missing.get(name)
    if (digest === undefined) continue
    progress?.(`${repository}: ${missing.size} more`)
    await registry.at(repository).pushStream(content, found => checkDigest(found, digest))
    missing.delete(name)
    if (missing.size === 0) return
  }
  throw new ArchiveError(`the archive names ${[...missing.keys()][0]}, which is not in it; it is damaged`)
}

/** @throws ArchiveError */
function checkDigest(found: string, expected: string): void {
  if (found !== expected)
    throw new ArchiveError(`expected content with the digest ${expected}, found ${found}; the archive is damaged`)
}

interface DockerEntry {
  readonly Config: string
  readonly RepoTags?: readonly string[] | null
  readonly Layers: readonly string[]
}

async function importDocker(options: ImportOptions, documents: Documents, text: Buffer): Promise<ImportedImage[]> {
  const entries = parseJson(text, 'manifest.json') as readonly DockerEntry[]
  if (!Array.isArray(entries) || entries.length === 0)
    throw new ArchiveError(`${options.file} holds no images: its manifest.json is empty`)
  const imported: ImportedImage[] = []
  for (const entry of entries)
    for (const name of entry.RepoTags?.length ? entry.RepoTags : [undefined])
      imported.push(await importDockerImage(options, documents, entry, options.place(name)))
  return imported
}

/** Its layers have names that say nothing of their digests, so they are known only when they were sent. */
async function importDockerImage(
  options: ImportOptions,
  documents: Documents,
  entry: DockerEntry,
  place: { readonly repository: string; readonly tag: string },
): Promise<ImportedImage> {
  const { registry, file, progress } = options
  const { repository, tag } = place
  const pathOfLayer = (path: string): string => documents.links.get(path) ?? path
  const waiting = new Set(entry.Layers.map(pathOfLayer))
  const layers = new Map<string, Descriptor>()
  for await (const { name, content } of archiveEntries(file)) {
    if (!waiting.delete(name)) continue
    progress?.(`${repository}: ${waiting.size + 1} more`)
    const { first, whole } = await withFirstBytes(content)
    const { digest, size } = await registry.at(repository).pushStream(whole)
    layers.set(name, { mediaType: layerTypeOf(first), digest, size })
  }
  if (waiting.size > 0)
    throw new ArchiveError(`the archive names ${[...waiting][0]}, which is not in it; it is damaged`)
  const config = documentOf(documents, entry.Config)
  const pushed = await registry.at(repository).pushStream(Readable.from([config]))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: { mediaType: configType, ...pushed },
      layers: entry.Layers.map(path => layers.get(pathOfLayer(path))),
    }),
  )
  const { digest } = await registry.at(repository).pushManifest(tag, imageType, manifest)
  return { repository, tag, digest }
}

async function withFirstBytes(
  content: AsyncIterable<Buffer>,
): Promise<{ first: Buffer; whole: AsyncIterable<Buffer> }> {
  const chunks = content[Symbol.asyncIterator]()
  const beginning = await chunks.next()
  async function* all(): AsyncGenerator<Buffer> {
    for (let next = beginning; next.done !== true; next = await chunks.next()) yield next.value
  }
  return { first: beginning.done === true ? Buffer.alloc(0) : beginning.value, whole: all() }
}

const layerType = 'application/vnd.oci.image.layer.v1.tar'

function layerTypeOf(first: Buffer): string {
  if (first.length >= 2 && first.readUInt16BE(0) === 0x1f_8b) return `${layerType}+gzip`
  return first.length >= 4 && first.readUInt32BE(0) === 0x28_b5_2f_fd ? `${layerType}+zstd` : layerType
}
