// What a path of the distribution API means. Pure. Source: OCI distribution specification 1.1, "Endpoints".
import { percentDecoded } from '../../lib/percent-decoded.ts'
import { isRepository } from '../image-reference.ts'
import { RegistryError } from './registry-error.ts'

export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  /** Of this registry alone: `/v2/_sampan/prune`. */
  | { readonly kind: 'extension'; readonly name: string }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly subject: string }

const pattern =
  /^\/v2\/(.+?)\/(blobs\/uploads\/?|blobs\/uploads\/[^/]+|blobs\/[^/]+|manifests\/.+|tags\/list|referrers\/.+)$/

/** @throws RegistryError */
export function routeOf(path: string): Route {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  if (path.startsWith('/v2/_sampan/')) return { kind: 'extension', name: path.slice('/v2/_sampan/'.length) }
  const [, repository, rest] = pattern.exec(path) ?? []
  if (repository === undefined || rest === undefined)
    throw new RegistryError(404, 'NAME_UNKNOWN', `there is nothing at ${path.slice(0, 300)}`)
  if (!isRepository(repository))
    throw new RegistryError(
      400,
      'NAME_INVALID',
      `"${repository.slice(0, 300)}" is no name of a repository: expected lower-case letters, digits and . _ - / between them, 255 at most`,
    )
  const behind = (start: string): string => percentDecoded(rest.slice(start.length))
  if (rest === 'tags/list') return { kind: 'tags', repository }
  if (rest.startsWith('manifests/')) return { kind: 'manifest', repository, reference: behind('manifests/') }
  if (rest.startsWith('referrers/')) return { kind: 'referrers', repository, subject: behind('referrers/') }
  if (rest === 'blobs/uploads' || rest === 'blobs/uploads/') return { kind: 'uploads', repository }
  if (rest.startsWith('blobs/uploads/')) return { kind: 'upload', repository, id: behind('blobs/uploads/') }
  return { kind: 'blob', repository, digest: behind('blobs/') }
}
