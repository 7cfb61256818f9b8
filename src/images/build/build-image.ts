// `sampan build`: what is in a folder becomes an image, made by the builder that fits, and goes to a registry. What all
// images have in common is done here: base images, labels, the bill of materials, and nothing when nothing changed.
import { statSync } from 'node:fs'
import { interruptedBy } from '../../host/interruption.ts'
import type { RegistryClient } from '../client/registry-client.ts'
import type { BaseImage } from './base/base-image.ts'
import { BuildError } from './build-error.ts'
import { BuildMemory, type Ingredients } from './build-memory.ts'
import type { BuildOptions } from './build-options.ts'
import { prepareCache } from './layers/cache-folder.ts'
import { aptLists } from './packages/apt-lists.ts'
import type { BuiltImage, PushedImage } from './push-image.ts'
import { gitMarks, revisionOf } from './revision.ts'
import { isOwnDoing, snapshotOf } from './unchanged.ts'

/** @throws BuildError; the reason of the signal */
export const buildImage = (options: BuildOptions): Promise<BuiltImage> =>
  options.signal === undefined ? build(options) : interruptedBy(options.signal, () => build(options))

async function build(options: BuildOptions): Promise<BuiltImage> {
  const { directory, builder, tag, registry, cacheDirectory } = options
  const client = options.connect(registry, options.repository)
  options.signal?.addEventListener('abort', () => client.close(), { once: true })
  try {
    await prepareCache(cacheDirectory)
    const folders = builder.inputs?.(directory) ?? [directory]
    const [surroundings, base] = await Promise.all([surroundingsOf(options), baseOf(options)])
    const revision = once(() => revisionOf(directory, folders))
    const ingredients = (): Ingredients => ({
      snapshot: snapshotOf(folders),
      others: { ...whatMakes(options), surroundings, base: base?.digest },
      gitMarks: gitMarks(directory),
      revision,
    })
    const before = ingredients()
    const memory = new BuildMemory(cacheDirectory, whatIsMade(options))
    const known = surroundings === undefined ? undefined : await memory.recall(before)
    if (known !== undefined && (await isStillThere(client, tag, known.image))) {
      for (const text of known.notes) options.note(text)
      options.progress('nothing changed', true)
      return builtImage(known.image)
    }
    const notes: string[] = []
    const note = (text: string): void => {
      notes.push(text)
      options.note(text)
    }
    const lookedAt = revision()
    const { makeImage, pruneDaily } = await import('./make-image.ts')
    const image = await makeImage({ ...options, note }, client, base, lookedAt)
    const after = ingredients()
    if (await isOwnDoing(directory, before.snapshot, after.snapshot, options.settings.output))
      await memory.remember(after, { image, notes })
    await pruneDaily(cacheDirectory)
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

/** What one image is told from others by. */
const whatIsMade = ({
  directory,
  repository,
  tag,
  registry,
  builder,
  owner,
  finish,
  settings,
}: BuildOptions): string[] => [
  directory,
  repository,
  tag,
  registry,
  builder.name,
  String(owner ?? 0),
  finish?.key ?? '',
  JSON.stringify(settings),
]

function whatMakes({ nodeBinary, tool }: BuildOptions): object {
  const { size, mtimeMs } = statSync(nodeBinary)
  return { version: 3, node: [size, mtimeMs], tool }
}

async function baseOf({ settings: { base }, ...options }: BuildOptions): Promise<BaseImage | undefined> {
  if (base === undefined) return undefined
  const { pullBase } = await import('./base/pull-base.ts')
  return pullBase(base, { ...options, localRegistry: options.registry })
}

/** Asked when it is needed, and no second time. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => (asked ??= ask())
}

/** undefined: it cannot be known whether the image would be another one now. */
async function surroundingsOf({ builder, directory, settings }: BuildOptions): Promise<string | undefined> {
  const tools = builder.surroundings === undefined ? '' : await builder.surroundings(directory, settings)
  // What apt knows of packages, where it is asked.
  const lists = settings.packages.length === 0 ? undefined : statSync(aptLists, { throwIfNoEntry: false })?.mtimeMs
  return tools === undefined ? undefined : `${tools} ${lists}`
}

const builtImage = ({ digest, sizeBytes }: PushedImage): BuiltImage => ({ digest, sizeBytes })

/** The image may be there under another tag, or have gone. */
async function isStillThere(client: RegistryClient, tag: string, { digest }: PushedImage): Promise<boolean> {
  if ((await client.digestOf(tag)) === digest) return true
  const manifest = await client.manifest(digest)
  if (manifest === undefined) return false
  await client.pushManifest(tag, manifest.mediaType, manifest.content)
  return true
}
