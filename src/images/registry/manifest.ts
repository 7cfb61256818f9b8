// A manifest, and what it says of itself. One may be about another one, its subject: a signature, a list of contents,
// a test report. Pure. Source: OCI distribution specification 1.1, "Pushing Manifests", "Listing Referrers"; OCI image
// specification 1.1.
import type { Descriptor } from '../descriptor.ts'
import { imageType, indexType } from '../media-types.ts'
import { RegistryError } from './registry-error.ts'

export interface Manifest {
  readonly digest: string
  readonly mediaType: string
  readonly content: Buffer
}

/** Of any algorithm: a subject need not be in this registry. */
export const anyDigestPattern = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[\w=-]+$/

interface Named {
  readonly digest?: unknown
  readonly urls?: unknown
}

export interface ParsedManifest {
  readonly schemaVersion?: unknown
  readonly mediaType?: unknown
  readonly subject?: { readonly digest?: unknown } | null
  readonly artifactType?: unknown
  readonly config?: (Named & { readonly mediaType?: unknown }) | null
  readonly layers?: readonly (Named | null)[] | null
  readonly manifests?: readonly (Named | null)[] | null
  readonly annotations?: unknown
}

const invalid = (message: string): RegistryError => new RegistryError(400, 'MANIFEST_INVALID', message)

/** @throws RegistryError */
export function parseManifest(content: Buffer): ParsedManifest {
  let parsed: unknown
  try {
    parsed = JSON.parse(content.toString())
  } catch {
    parsed = undefined
  }
  if (!isManifest(parsed)) throw invalid('expected a manifest or an index of the OCI image specification in JSON')
  if (parsed.schemaVersion === 1)
    throw invalid(
      'expected a manifest of schema version 2, found version 1; push with a client that is newer than 2016',
    )
  return parsed
}

function isManifest(value: unknown): value is ParsedManifest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { layers, manifests } = value as Record<string, unknown>
  return [layers, manifests].every(list => list === undefined || list === null || Array.isArray(list))
}

/**
 * What has to be there for it to be whole: blobs, and manifests below an index. What says where else it is need not be.
 * A digest that is none is among them, as it stands there.
 */
export function namedBy({ config, layers, manifests }: ParsedManifest): {
  readonly blobs: readonly string[]
  readonly manifests: readonly string[]
} {
  const digests = (all: readonly (Named | null | undefined)[]): string[] =>
    all.filter(named => !isElsewhere(named)).map(named => String(named?.digest))
  return {
    blobs: digests([...(config === undefined || config === null ? [] : [config]), ...(layers ?? [])]),
    manifests: digests(manifests ?? []),
  }
}

const isElsewhere = (named: Named | null | undefined): boolean => Array.isArray(named?.urls) && named.urls.length > 0

/** The digest of the manifest that this one is about. */
export const subjectOf = ({ subject }: ParsedManifest): string | undefined =>
  subject === undefined || subject === null ? undefined : String(subject.digest)

/** The subject need not have been pushed. @throws RegistryError */
export function checkedSubject(manifest: ParsedManifest): string | undefined {
  const subject = subjectOf(manifest)
  if (subject !== undefined && !anyDigestPattern.test(subject))
    throw invalid(`the digest of the manifest's subject is none: "${subject}"`)
  return subject
}

/**
 * What it is served as: what it says itself, else as what it was sent, else what it looks like. Clients refuse a manifest
 * that comes as something else than it says. @throws RegistryError
 */
export function mediaTypeOf(manifest: ParsedManifest, contentType: string | undefined): string {
  const sent = contentType?.split(';', 1)[0]!.trim().toLowerCase() ?? ''
  const isType = /^application\/vnd\.[\w.+-]+$/.test(sent)
  const { mediaType } = manifest
  if (typeof mediaType !== 'string' || mediaType === '')
    return isType ? sent : Array.isArray(manifest.manifests) ? indexType : imageType
  if (!/^[\w.+-]+\/[\w.+-]+$/.test(mediaType)) throw invalid(`"${mediaType}" is no media type`)
  if (isType && sent !== mediaType.toLowerCase())
    throw invalid(`the manifest says that it is ${mediaType}, and was sent as ${sent}; send it as what it is`)
  return mediaType
}

export function descriptorOf({ mediaType, digest, content }: Manifest): Descriptor {
  const { artifactType, config, annotations } = parseManifest(content)
  // An image says by its configuration what it is when it does not say so itself.
  const type = textIn(artifactType) ?? textIn(config?.mediaType)
  return {
    mediaType,
    digest,
    size: content.length,
    ...(type !== undefined && { artifactType: type }),
    ...(isTexts(annotations) && { annotations }),
  }
}

const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null && Object.values(value).every(text => typeof text === 'string')
