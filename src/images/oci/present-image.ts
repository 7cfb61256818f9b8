// What an archive has of an image: `docker save` of the containerd image store writes an index whole, and of its
// platforms those alone that were pulled. What is not there is left out, so that a registry takes what is. Pure.
import { isIndex, parseImage, parseJson } from './image-manifest.ts'
import type { Descriptor, Platform } from '../descriptor.ts'

export interface ArchiveContent {
  /** Documents by their paths. */
  readonly texts: ReadonlyMap<string, Buffer>
  /** Paths of all files. */
  readonly files: ReadonlySet<string>
}

/** A manifest to push, after those that it names. */
export interface PresentImage {
  readonly descriptor: Descriptor
  readonly content: Buffer
  readonly children: readonly PresentImage[]
  /** Platforms that are not in the archive. */
  readonly absent: readonly string[]
}

export const pathOf = (digest: string): string => `blobs/${digest.replace(':', '/')}`

/** @returns undefined: nothing of it is there. @throws ArchiveError */
export function presentImage(
  archive: ArchiveContent,
  descriptor: Descriptor,
  digestOf: (content: Buffer) => string,
): PresentImage | undefined {
  const content = archive.texts.get(pathOf(descriptor.digest))
  if (content === undefined) return undefined
  const parsed = parseImage(content)
  if (!isIndex(parsed)) {
    const isWhole = [parsed.config, ...parsed.layers].every(({ digest }) => archive.files.has(pathOf(digest)))
    return isWhole ? { descriptor, content, children: [], absent: [] } : undefined
  }
  const parts = parsed.manifests.map(named => ({ named, part: presentImage(archive, named, digestOf) }))
  const absent = [...new Set(parts.flatMap(({ named, part }) => part?.absent ?? platformIn(named)))]
  const found = parts.flatMap(({ part }) => part ?? [])
  const isWhole =
    found.length === parts.length &&
    found.every(({ descriptor: { digest } }, at) => digest === parsed.manifests[at]!.digest)
  if (isWhole) return { descriptor, content, children: found, absent }
  const digests = new Set(found.map(part => part.descriptor.digest))
  const children = found.filter(({ descriptor: own }) => !isAbout(own) || digests.has(own.annotations?.[subject] ?? ''))
  const images = children.filter(({ descriptor: own }) => !isAbout(own))
  if (images.length <= 1) return images[0] && { ...images[0], absent }
  const whole = parseJson(content, 'an index') as object
  const rewritten = Buffer.from(JSON.stringify({ ...whole, manifests: children.map(child => child.descriptor) }))
  return {
    descriptor: { ...descriptor, digest: digestOf(rewritten), size: rewritten.length },
    content: rewritten,
    children,
    absent,
  }
}

/** What docker's builder says about an image stands beside it in the index, and is none itself. */
const subject = 'vnd.docker.reference.digest'
const isAbout = ({ annotations }: Descriptor): boolean => annotations?.['vnd.docker.reference.type'] !== undefined

/** The platform of an image, or what it is called; nothing for what only says something about one. */
export const platformIn = (descriptor: Descriptor): string[] =>
  isAbout(descriptor) ? [] : [descriptor.platform === undefined ? descriptor.digest : platformText(descriptor.platform)]

export const platformText = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, variant].filter(part => part !== undefined).join('/')
