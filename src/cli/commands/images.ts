// `sampan images`: what is in the registry of the cluster, and what goes in and out of it as files.
import { resolve } from 'node:path'
import { localRegistry } from '../../images/client/place.ts'
import { parseImageReference, type ImageReference } from '../../images/image-reference.ts'
import { exportImages } from '../../images/oci/export-image.ts'
import { isIndex, ofThisMachine, parseImage, parseJson, type ImageConfig } from '../../images/oci/image-manifest.ts'
import { importImages } from '../../images/oci/import-images.ts'
import { platformText } from '../../images/oci/present-image.ts'
import type { FoundManifest } from '../../images/client/registry-client.ts'
import type { RegistryContent } from '../../images/client/registry-content.ts'
import type { Descriptor } from '../../images/descriptor.ts'
import { pruneLayers } from '../../images/build/layers/prune-layers.ts'
import { layerFolder } from '../image-making.ts'
import { registryContent } from '../registry-login.ts'
import { buffer } from 'node:stream/consumers'
import { bytesText } from '../bytes-text.ts'
import { clusterRegistry, type RegistryAsked } from '../cluster-registry.ts'
import { CommandFailure, Output } from '../output.ts'
import { tableText } from '../table.ts'

export interface ImagesOptions extends RegistryAsked {
  /** `host:port`; by default that of the cluster. */
  readonly registry?: string
  readonly context?: string
  readonly output?: 'json'
}

interface Opened {
  readonly registry: RegistryContent
  readonly address: string
}

async function open({ registry, context, ...asked }: ImagesOptions): Promise<Opened> {
  const address = registry ?? (await clusterRegistry(context, asked))
  return { registry: registryContent(address), address }
}

interface ListedImage {
  readonly name: string
  readonly tag: string
  readonly digest: string
  readonly sizeBytes: number
}

export async function listImages(options: ImagesOptions): Promise<void> {
  const { registry } = await open(options)
  const images: ListedImage[] = []
  for (const name of await registry.repositories())
    for (const tag of await registry.at(name).tags()) {
      const manifest = await registry.at(name).manifest(tag)
      if (manifest === undefined) continue
      images.push({ name, tag, digest: manifest.digest, sizeBytes: await sizeOf(registry, name, manifest) })
    }
  if (options.output === 'json') return console.log(JSON.stringify(images))
  if (images.length === 0) return console.log('there are no images; build one with: sampan build')
  const rows = images.map(({ name, tag, digest, sizeBytes }) => [name, tag, short(digest), bytesText(sizeBytes)])
  console.log(tableText(['NAME', 'TAG', 'DIGEST', 'SIZE'], rows))
}

const short = (digest: string): string => digest.slice(0, 'sha256:'.length + 12)

/** Of all that it names, each once. */
async function sizeOf(registry: RegistryContent, repository: string, { content }: FoundManifest): Promise<number> {
  const sizes = new Map<string, number>()
  async function add(text: Buffer): Promise<void> {
    const parsed = parseImage(text)
    if (!isIndex(parsed)) {
      for (const { digest, size } of [parsed.config, ...parsed.layers]) sizes.set(digest, size)
      return
    }
    for (const { digest } of parsed.manifests) {
      const child = await registry.at(repository).manifest(digest)
      if (child !== undefined) await add(child.content)
    }
  }
  await add(content)
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

interface NamedImage {
  readonly repository: string
  /** A tag or a digest. */
  readonly reference: string
  readonly manifest: FoundManifest
}

/** @param isNeeded a tag, where the repository has several. @throws CommandFailure */
async function find({ registry, address }: Opened, text: string): Promise<NamedImage> {
  const { repository, tag, digest } = parsed(text, address)
  const tags = tag === undefined && digest === undefined ? await registry.at(repository).tags() : []
  const reference = digest ?? tag ?? (tags.length === 1 ? tags[0]! : undefined)
  const manifest = reference === undefined ? undefined : await registry.at(repository).manifest(reference)
  if (reference !== undefined && manifest !== undefined) return { repository, reference, manifest }
  const known = tags.length > 0 ? tags : await registry.at(repository).tags()
  if (known.length === 0)
    throw new CommandFailure(`there is no image ${repository} in this registry; sampan images list shows what there is`)
  throw new CommandFailure(
    reference === undefined
      ? `${repository} has several tags; name one of them: ${known.join(', ')}`
      : `there is no ${nameOf(repository, reference)} in this registry; ${repository} has the tags ${known.join(', ')}`,
  )
}

/** @throws CommandFailure */
function parsed(text: string, address: string): ImageReference {
  const reference = parseImageReference(text)
  if (reference === undefined)
    throw new CommandFailure(`expected NAME:TAG or NAME@DIGEST such as geo-backend:1.0.0, found "${text}"`)
  const { registry } = reference
  if (registry !== undefined && registry !== localRegistry && registry !== address)
    throw new CommandFailure(`${text} is in the registry ${registry}, not in that of the cluster (${localRegistry})`)
  return reference
}

const nameOf = (repository: string, reference: string): string =>
  `${repository}${reference.includes(':') ? '@' : ':'}${reference}`

export async function inspectImage(text: string, options: ImagesOptions): Promise<void> {
  const opened = await open(options)
  const { registry } = opened
  const { repository, reference, manifest } = await find(opened, text)
  const own = await imageOf(registry, repository, manifest)
  const about = await registry.at(repository).referrers(manifest.digest)
  const facts = {
    image: `${localRegistry}/${nameOf(repository, reference)}`,
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    sizeBytes: await sizeOf(registry, repository, manifest),
    platforms: own.platforms,
    ...own.config,
    layers: own.layers.map(({ digest, size, mediaType }) => ({ digest, sizeBytes: size, mediaType })),
    about: about.map(({ digest, artifactType }) => ({ digest, type: artifactType })),
  }
  if (options.output === 'json') return console.log(JSON.stringify(facts))
  const words = (list: readonly string[] | null | undefined): string => JSON.stringify(list ?? [])
  const rows: [string, string][] = [
    ['image', facts.image],
    ['digest', facts.digest],
    ['type', facts.mediaType],
    ['size', bytesText(facts.sizeBytes)],
    ['platforms', facts.platforms.join(', ')],
    ['created', facts.created ?? ''],
    ['user', facts.config?.User ?? ''],
    ['folder', facts.config?.WorkingDir ?? ''],
    ['starts', words([...(facts.config?.Entrypoint ?? []), ...(facts.config?.Cmd ?? [])])],
    ['ports', Object.keys(facts.config?.ExposedPorts ?? {}).join(', ')],
    ...(facts.config?.Env ?? []).map((variable): [string, string] => ['variable', variable]),
    ...Object.entries(facts.config?.Labels ?? {}).map(([key, value]): [string, string] => ['label', `${key}=${value}`]),
    ...facts.layers.map(({ digest, sizeBytes }): [string, string] => [
      'layer',
      `${short(digest)} ${bytesText(sizeBytes)}`,
    ]),
    ...facts.about.map(({ digest, type }): [string, string] => ['about it', `${short(digest)} ${type ?? ''}`]),
  ]
  for (const [name, value] of rows) if (value !== '' && value !== '[]') console.log(`${name.padEnd(10)}${value}`)
}

/** The image itself; of an index that for this machine. */
async function imageOf(
  registry: RegistryContent,
  repository: string,
  { content }: FoundManifest,
): Promise<{ platforms: readonly string[]; config: ImageConfig; layers: readonly Descriptor[] }> {
  const found = parseImage(content)
  if (isIndex(found)) {
    const platforms = found.manifests.flatMap(({ platform }) => (platform === undefined ? [] : platformText(platform)))
    const own = ofThisMachine(found)
    const manifest = own && (await registry.at(repository).manifest(own.digest))
    if (manifest === undefined) return { platforms, config: {}, layers: [] }
    return { ...(await imageOf(registry, repository, manifest)), ...(platforms.length > 0 && { platforms }) }
  }
  const bytes = await buffer(await registry.at(repository).streamBlob(found.config.digest))
  const config = parseJson(bytes, 'the configuration of an image') as ImageConfig
  return { platforms: config.os === undefined ? [] : [platformText(config)], config, layers: found.layers }
}

export interface ImportImagesOptions extends ImagesOptions {
  /** `name:tag` for the one image of the archive. */
  readonly tag?: string
}

export async function importArchive(file: string, options: ImportImagesOptions): Promise<void> {
  const { registry, address } = await open(options)
  const output = new Output()
  output.working(`importing ${file}`)
  let given = 0
  const place = (name: string | undefined): { repository: string; tag: string } => {
    if (options.tag !== undefined && ++given > 1)
      throw new CommandFailure(`${file} holds several images, which cannot all be ${options.tag}; leave --tag out`)
    const reference = options.tag ?? name
    if (reference === undefined)
      throw new CommandFailure(`the archive gives an image no name; give it one with --tag NAME:VERSION`)
    return options.tag === undefined ? placeOf(reference) : { tag: 'latest', ...withTag(parsed(reference, address)) }
  }
  const progress = (step: string): void => output.working(`importing ${step}`)
  const images = await importImages({ registry, file: resolve(file), place, progress })
  output.quiet()
  if (options.output === 'json')
    return console.log(
      JSON.stringify(
        images.map(({ repository, tag, digest, absent }) => ({
          image: sampanName(repository, tag),
          digest,
          ...(absent !== undefined && { absentPlatforms: absent }),
        })),
      ),
    )
  for (const { repository, tag, absent } of images) {
    output.line(`imported ${sampanName(repository, tag)}`)
    if (absent !== undefined) output.line(`note: the archive does not hold it for ${absent.join(', ')}`)
  }
}

const sampanName = (repository: string, reference: string): string =>
  `${localRegistry}/${nameOf(repository, reference)}`

const withTag = ({ repository, tag }: ImageReference): { repository: string; tag?: string } => ({
  repository,
  ...(tag !== undefined && { tag }),
})

/** Registries that images came from are no part of their names here, nor is docker's folder of its own. */
function placeOf(name: string): { repository: string; tag: string } {
  const reference = parseImageReference(name)
  if (reference === undefined) throw new CommandFailure(`the archive calls an image "${name}", which is no name of one`)
  const { repository, tag = 'latest' } = reference
  return { repository: repository.replace(/^library\//, ''), tag }
}

export async function exportArchive(texts: readonly string[], options: ImagesOptions): Promise<void> {
  const [file, ...names] = texts.toReversed()
  if (file === undefined || names.length === 0)
    throw new CommandFailure('which images, and where to? sampan images export NAME:TAG FILE')
  const opened = await open(options)
  const output = new Output()
  const images = []
  for (const text of names.toReversed()) {
    const { repository, reference } = await find(opened, text)
    images.push({ repository, reference, name: sampanName(repository, reference) })
  }
  output.working(`writing ${file}`)
  const sizeBytes = await exportImages(opened.registry, images, resolve(file))
  output.quiet()
  if (options.output === 'json')
    return console.log(JSON.stringify({ file: resolve(file), images: images.map(({ name }) => name), sizeBytes }))
  output.line(
    `wrote ${file} (${bytesText(sizeBytes)}); read it with: sampan images import, docker load -i, podman load -i, or skopeo copy oci-archive:${file}`,
  )
}

export async function removeImages(texts: readonly string[], options: ImagesOptions): Promise<void> {
  const opened = await open(options)
  // All are looked for before the first one goes.
  const found = []
  for (const text of texts) found.push(await find(opened, text))
  for (const { repository, reference } of found) await opened.registry.at(repository).remove(reference)
  const names = found.map(({ repository, reference }) => nameOf(repository, reference))
  if (options.output === 'json') return console.log(JSON.stringify({ removed: names }))
  new Output().line(
    `removed ${names.join(', ')}; in an hour, its space is freed by: sampan images prune (which leaves alone what was pushed or asked for within the last hour)`,
  )
}

export interface PruneOptions extends ImagesOptions {
  readonly dryRun?: boolean
  /** Where the machine keeps images of other registries. */
  readonly imageCache: string
}

export async function pruneImages(options: PruneOptions): Promise<void> {
  const { registry } = await open(options)
  const dryRun = options.dryRun === true
  const pruned = await registry.prune(dryRun)
  const layers = await pruneLayers(layerFolder(), { nowMs: options.clock.now(), dryRun })
  if (options.output === 'json') return console.log(JSON.stringify({ dryRun, ...pruned, layers }))
  for (const image of pruned.images) console.log(`${dryRun ? 'would remove' : 'removed'} ${image}`)
  new Output().line(
    `${bytesText(pruned.bytes)} ${dryRun ? 'would be' : 'are'} free: ${pruned.images.length} images without a tag that nothing uses, ${pruned.blobs} layers and other files, ${pruned.uploads} uploads that were given up`,
  )
  const { youngBytes = 0 } = pruned
  if (youngBytes > 0)
    new Output().line(
      `${bytesText(youngBytes)} that nothing uses ${dryRun ? 'would stay' : 'stay'}: pushed or asked for within the last hour, they go with a later: sampan images prune`,
    )
  new Output().line(
    `${bytesText(layers.removedBytes)} of ${bytesText(layers.bytes)} that builds keep in ${layerFolder()} ${dryRun ? 'would go' : 'are gone'}: what none of them used for 30 days`,
  )
  new Output().line(
    `images of other registries are in ${options.imageCache}; what nobody asked for in 30 days, or has no room in 20 GB, goes by itself`,
  )
}
