// Names of images: `[registry/]repository[:tag][@digest]`, as the OCI distribution specification and
// Docker write them.

export interface ImageReference {
  readonly registry: string | undefined
  readonly repository: string
  readonly tag: string | undefined
  readonly digest: string | undefined
}

const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
export const tagPattern = /^\w[\w.-]{0,127}$/
export const digestPattern = /^sha256:[0-9a-f]{64}$/

export const isRepository = (text: string): boolean => text.length <= 255 && repositoryPattern.test(text)

/** undefined: not a name of an image. */
export function parseImageReference(text: string): ImageReference | undefined {
  const [name = '', digest] = text.split('@', 2)
  if (digest !== undefined && !digestPattern.test(digest)) return undefined
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  const registry = first.includes('.') || first.includes(':') || first === 'localhost' ? first : undefined
  const rest = registry === undefined ? name : name.slice(slash + 1)
  const colon = rest.lastIndexOf(':')
  const repository = colon < 0 ? rest : rest.slice(0, colon)
  const tag = colon < 0 ? undefined : rest.slice(colon + 1)
  if (!isRepository(repository) || (tag !== undefined && !tagPattern.test(tag))) return undefined
  return { registry, repository, tag, digest }
}
