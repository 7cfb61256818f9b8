// A manifest, and what it says of itself. One may be about another one, its subject: a signature, a list of contents,
// a test report. Source: OCI distribution specification 1.1, "Listing Referrers"; OCI image specification 1.1.

export interface Manifest {
  readonly digest: string
  readonly mediaType: string
  readonly content: Buffer
}

export const indexType = 'application/vnd.oci.image.index.v1+json'

/** Of any algorithm: a subject need not be in this registry. */
export const anyDigestPattern = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[\w=-]+$/

/** What other manifests point at it with. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly artifactType?: string
  readonly annotations?: Readonly<Record<string, string>>
}

interface Parsed {
  readonly subject?: { readonly digest?: unknown } | null
  readonly artifactType?: string
  readonly config?: { readonly mediaType?: string }
  readonly annotations?: Readonly<Record<string, string>>
}

/** The digest of the manifest that this one is about. @throws SyntaxError when it is no JSON */
export function subjectOf(content: Buffer): string | undefined {
  const { subject } = JSON.parse(content.toString()) as Parsed
  return subject === undefined || subject === null ? undefined : String(subject.digest)
}

export function descriptorOf({ mediaType, digest, content }: Manifest): Descriptor {
  const { artifactType, config, annotations } = JSON.parse(content.toString()) as Parsed
  // An image says by its configuration what it is when it does not say so itself.
  const type = artifactType || config?.mediaType
  return {
    mediaType,
    digest,
    size: content.length,
    ...(type && { artifactType: type }),
    ...(annotations && { annotations }),
  }
}
