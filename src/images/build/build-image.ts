// `sampan build`: what is in a folder becomes an image, made by the builder that fits, and goes to a registry. What all
// images have in common is done here: base images, labels, the bill of materials, and nothing when nothing changed.
import { statSync } from 'node:fs'
import { interruptedBy } from '../../host/interruption.ts'
import type { RegistryClient } from '../client/registry-client.ts'
import type { BaseImage } from './base/base-image.ts'
import { pullBase } from './base/pull-base.ts'
import { BuildError } from './build-error.ts'
import type { Builder } from './builder.ts'
import type { ContainerConfig, ImageContent } from './image-content.ts'
import { prepareCache, whileMaking, type LayerCache } from './layers/kept-layer.ts'
import { pushBillOfMaterials, pushImage, type BuiltImage, type PushedImage } from './push-image.ts'
import { gitMarks, revisionOf, type Revision } from './revision.ts'
import type { BuildSettings } from './settings.ts'
import { aptLists } from './packages/packages-layer.ts'
import { BuildMemory, fingerprintOf, isOwnDoing, snapshotOf } from './unchanged.ts'

export interface BuildOptions {
  readonly directory: string
  readonly builder: Builder
  readonly settings: BuildSettings
  /** Name in the registry, without registry and tag. */
  readonly repository: string
  readonly tag: string
  /** `127.0.0.1:5000` */
  readonly registry: string
  /** How this user reaches a repository of a registry. */
  readonly connect: (registry: string, repository: string) => RegistryClient
  /** Where layers are kept between builds. */
  readonly cacheDirectory: string
  /** The Node.js that goes into images. */
  readonly nodeBinary: string
  /** Who builds: `sampan-1.0.0`. */
  readonly tool: string
  /** User that the service's own files belong to; by default 0, so that the service cannot change them. */
  readonly owner?: number
  /** Adds to what the builder made; `key` tells it from builds without it. */
  readonly finish?: {
    readonly key: string
    readonly add: (content: ImageContent, cache: LayerCache) => Promise<ImageContent>
  }
  /** Called as each part is done. */
  readonly progress: (step: string, cached: boolean) => void
  /** Told what the image will not do. */
  readonly note: (text: string) => void
  /** Ends the build with all programs that it runs. */
  readonly signal?: AbortSignal
}

/** @throws BuildError; the reason of the signal */
export const buildImage = (options: BuildOptions): Promise<BuiltImage> =>
  options.signal === undefined ? build(options) : interruptedBy(options.signal, () => build(options))

async function build(options: BuildOptions): Promise<BuiltImage> {
  const { directory, builder, settings, repository, tag, registry, cacheDirectory } = options
  const client = options.connect(registry, repository)
  options.signal?.addEventListener('abort', () => client.close(), { once: true })
  try {
    await prepareCache(cacheDirectory)
    const inputs = builder.inputs?.(directory) ?? [directory]
    const [surroundings, base] = await Promise.all([
      surroundingsOf(options),
      settings.base === undefined ? undefined : pullBase(settings.base, { ...options, localRegistry: registry }),
    ])
    const { size, mtimeMs } = statSync(options.nodeBinary)
    const node = [size, mtimeMs]
    const rest = { version: 2, surroundings, base: base?.digest, node, tool: options.tool }
    const memory = new BuildMemory(cacheDirectory, [
      directory,
      repository,
      tag,
      registry,
      builder.name,
      String(options.owner ?? 0),
      options.finish?.key ?? '',
      JSON.stringify(settings),
    ])
    const before = snapshotOf(inputs)
    // Where git did nothing at all, it need not be asked.
    const marks = gitMarks(directory)
    const atOnce =
      surroundings === undefined ? undefined : await memory.recall(fingerprintOf(before, { ...rest, marks }))
    let revision = atOnce === undefined ? await revisionOf(directory, inputs) : undefined
    const known =
      atOnce ??
      (surroundings === undefined ? undefined : await memory.recall(fingerprintOf(before, { ...rest, revision })))
    if (known !== undefined && (await isStillThere(client, tag, known.image))) {
      for (const text of known.notes) options.note(text)
      options.progress('nothing changed', true)
      return builtImage(known.image)
    }
    if (atOnce !== undefined) revision = await revisionOf(directory, inputs)
    const notes: string[] = []
    const note = (text: string): void => {
      notes.push(text)
      options.note(text)
    }
    const image = await made({ ...options, note }, client, base, revision)
    const after = snapshotOf(inputs)
    if (await isOwnDoing(directory, before, after, settings.output))
      await memory.remember({
        fingerprints: [{ revision }, { marks: gitMarks(directory) }].map(more =>
          fingerprintOf(after, { ...rest, ...more }),
        ),
        image,
        notes,
      })
    return builtImage(image)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    throw new BuildError(
      `the disk is full, on which layers are made (${cacheDirectory}); free some space, or name another folder with XDG_CACHE_HOME, and build again`,
    )
  } finally {
    client.close()
  }
}

/** undefined: it cannot be known whether the image would be another one now. */
async function surroundingsOf({ builder, directory, settings }: BuildOptions): Promise<string | undefined> {
  const tools = builder.surroundings === undefined ? '' : await builder.surroundings(directory, settings)
  // What apt knows of packages, where it is asked.
  const lists = settings.packages.length === 0 ? undefined : statSync(aptLists, { throwIfNoEntry: false })?.mtimeMs
  return tools === undefined ? undefined : `${tools} ${lists}`
}

const builtImage = ({ digest, sizeBytes }: PushedImage): BuiltImage => ({ digest, sizeBytes })

function made(
  options: BuildOptions,
  client: RegistryClient,
  base: BaseImage | undefined,
  revision: Revision | undefined,
): Promise<PushedImage> {
  return whileMaking(options.cacheDirectory, async making => {
    const built = await options.builder.build({ ...options, making, base, owner: options.owner ?? 0 })
    const content = options.finish === undefined ? built : await options.finish.add(built, options)
    const config = { ...upon(base?.config, content.config), Labels: labelsOf(base, content.config, revision) }
    const image = await pushImage(client, options, content.layers, config)
    await pushBillOfMaterials(client, options, image, content.components, options.tool)
    options.progress('pushed', false)
    return image
  })
}

/** The image may be there under another tag, or have gone. */
async function isStillThere(client: RegistryClient, tag: string, { digest }: PushedImage): Promise<boolean> {
  if ((await client.digestOf(tag)) === digest) return true
  const manifest = await client.manifest(digest)
  if (manifest === undefined) return false
  await client.pushManifest(tag, manifest.mediaType, manifest.content)
  return true
}

/** What the base says holds where the service's own layers say nothing else; programs are looked for in both. */
function upon(base: ContainerConfig | undefined, own: ContainerConfig): ContainerConfig {
  if (base === undefined) return own
  const { Entrypoint: _entrypoint, Cmd: _command, ...inherited } = base
  const variables = new Map<string, string>()
  for (const text of [...(base.Env ?? []), ...(own.Env ?? [])]) {
    const [name = ''] = text.split('=', 1)
    const known = variables.get(name)
    variables.set(name, name === 'PATH' && known !== undefined ? joinedPath(text, known) : text)
  }
  return { ...inherited, ...own, Env: [...variables.values()] }
}

/** The own folders first, then those of the base that are none of them. */
function joinedPath(own: string, below: string): string {
  const folders = [own, below].flatMap(text => text.slice('PATH='.length).split(':'))
  return `PATH=${[...new Set(folders)].join(':')}`
}

function labelsOf(
  base: BaseImage | undefined,
  own: ContainerConfig,
  revision: Revision | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(base !== undefined && {
      'org.opencontainers.image.base.name': base.name,
      'org.opencontainers.image.base.digest': base.digest,
    }),
    ...own.Labels,
    ...(revision !== undefined && { 'org.opencontainers.image.revision': revision.revision }),
    ...(revision?.source !== undefined && { 'org.opencontainers.image.source': revision.source }),
  }
}
