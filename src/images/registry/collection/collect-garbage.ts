// Takes away what nobody needs: marks what is needed, then removes the rest, manifests first, so that a collection that
// is killed leaves nothing that names what is gone. Needed are what tags point to, what the cluster uses (pods, kept
// releases), what was pushed lately, all of these name, and what is about them. A request under way is safe: what it works
// with is held, and what a client was told of within the grace time stays (storage/uses.ts).
import type { Manifest } from '../manifest.ts'
import { namedBy, parseManifest, subjectOf } from '../manifest.ts'
import type { RegistryStore } from '../registry-store.ts'
import { neededManifests, type MarkedManifest } from './needed-manifests.ts'

/** Between a look at a blob and the manifest that names it. */
export const graceMs = 3_600_000
/** How long an image that lost its tag stays when nothing uses it. */
export const untaggedMs = 7 * 24 * 3_600_000
/** How long an upload waits for whoever broke it off. */
export const uploadMs = 24 * 3_600_000

export interface CollectionOptions {
  readonly store: RegistryStore
  /** Digests of manifests that the cluster uses, whatever their tags. */
  readonly inUse: () => Promise<ReadonlySet<string>>
  /** How long images without a tag stay; never shorter than the grace time. */
  readonly untaggedMs: number
  /** Counts and removes nothing. */
  readonly dryRun?: boolean
}

export interface Collected {
  /** `repository@digest` of images that are gone. */
  readonly images: readonly string[]
  readonly blobs: number
  readonly uploads: number
  readonly bytes: number
  /** Of what stays for nothing but its youth: somebody pushed it or asked for it lately. */
  readonly youngBytes: number
}

interface RepositoryContent {
  readonly repository: string
  readonly manifests: readonly MarkedManifest[]
  readonly blobs: readonly string[]
  readonly needed: ReadonlySet<string>
  /** What of it is needed however old it is. */
  readonly lasting: ReadonlySet<string>
}

/** @throws what `inUse` throws, before anything is removed */
export async function collectGarbage({
  store,
  inUse,
  untaggedMs: keepMs,
  dryRun = false,
}: CollectionOptions): Promise<Collected> {
  const { blobs, uploads, repositories, uses } = store
  const nowMs = uses.clock.now()
  const used = await inUse()
  const graceUntilMs = nowMs - graceMs
  const imagesUntilMs = nowMs - Math.max(keepMs, graceMs)
  const isYoung = (digest: string, fileMs: number): boolean => !uses.isUnused(digest, fileMs, imagesUntilMs)
  const images: string[] = []
  const kept = new Set<string>()
  const lasting = new Set<string>()
  for (const { repository, manifests, blobs: own, needed, lasting: lastingHere } of await lookAt(
    store,
    used,
    isYoung,
  )) {
    const named = new Set<string>()
    for (const { digest, names } of manifests) {
      if (!needed.has(digest) && repositories.removeUnused(repository, 'manifests', digest, imagesUntilMs, dryRun)) {
        images.push(`${repository}@${digest}`)
        continue
      }
      kept.add(digest)
      for (const name of names) named.add(name)
      if (lastingHere.has(digest)) for (const each of [digest, ...names]) lasting.add(each)
    }
    for (const digest of own)
      if (named.has(digest) || !repositories.removeUnused(repository, 'blobs', digest, graceUntilMs, dryRun))
        kept.add(digest)
  }
  let [count, bytes, youngBytes] = [0, 0, 0]
  for (const digest of await blobs.list()) {
    const freed = kept.has(digest) ? undefined : blobs.removeUnused(digest, graceUntilMs, dryRun)
    if (freed === undefined) {
      if (!lasting.has(digest)) youngBytes += blobs.bytesOf(digest)
      continue
    }
    count++
    bytes += freed
  }
  const halves = await uploads.removeUnused(nowMs - uploadMs, dryRun)
  if (!dryRun) uses.forgetBefore(imagesUntilMs)
  return { images: images.sort(), blobs: count, uploads: halves.count, bytes: bytes + halves.bytes, youngBytes }
}

async function lookAt(
  { repositories }: RegistryStore,
  used: ReadonlySet<string>,
  isYoung: (digest: string, fileMs: number) => boolean,
): Promise<RepositoryContent[]> {
  const found: RepositoryContent[] = []
  for (const repository of await repositories.allNames()) {
    // Blobs first: what is pushed meanwhile is held, and touched.
    const blobs = await repositories.digests(repository, 'blobs')
    const tagged = new Set<string>()
    for (const tag of await repositories.tags(repository)) {
      const digest = await repositories.tagged(repository, tag)
      if (digest !== undefined) tagged.add(digest)
    }
    const manifests: (MarkedManifest & { readonly isLasting: boolean })[] = []
    for (const digest of await repositories.digests(repository, 'manifests')) {
      const manifest = await repositories.manifest(repository, digest)
      const pushedMs = await repositories.pushedMs(repository, digest)
      if (manifest === undefined || pushedMs === undefined) continue
      const isLasting = tagged.has(digest) || used.has(digest)
      const isRoot = isLasting || isYoung(digest, pushedMs)
      manifests.push({ digest, isRoot, isLasting, ...whatItNames(manifest) })
    }
    const lasting = neededManifests(manifests.map(manifest => ({ ...manifest, isRoot: manifest.isLasting })))
    found.push({ repository, blobs, manifests, needed: neededManifests(manifests), lasting })
  }
  return found
}

function whatItNames({ content }: Manifest): Pick<MarkedManifest, 'names' | 'subject'> {
  try {
    const parsed = parseManifest(content)
    const { blobs, manifests } = namedBy(parsed)
    return { names: [...blobs, ...manifests], subject: subjectOf(parsed) }
  } catch {
    // Earlier versions took what is no manifest.
    return { names: [], subject: undefined }
  }
}
