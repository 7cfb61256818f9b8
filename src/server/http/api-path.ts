// Splits a resource path into its parts:
// /api/v1/..., /apis/{group}/{version}/..., [namespaces/{namespace}/]{plural}[/{name}[/{subresource}[/{rest}]]]
import { percentDecoded } from '../../lib/percent-decoded.ts'

export interface ApiPath {
  readonly group: string
  readonly version: string
  readonly namespace?: string
  readonly plural: string
  readonly name?: string
  readonly subresource?: string
  /** What follows the subresource, as in `proxy/some/path`. */
  readonly rest?: string
  /** `/watch/...`, the deprecated form of `?watch=true`. */
  readonly watch: boolean
}

/** Parts of a namespace object itself that look like resources inside it. */
const namespaceParts = new Set(['status', 'finalize'])

/** undefined: not a path of a resource. */
export function parseApiPath(path: string): ApiPath | undefined {
  const segments = path.split('/').slice(1).map(percentDecoded)
  if (segments.at(-1) === '') segments.pop()
  const [root, ...tail] = segments
  if (root === 'api' && tail.length >= 2) return parseResource('', tail[0]!, tail.slice(1))
  if (root === 'apis' && tail.length >= 3) return parseResource(tail[0]!, tail[1]!, tail.slice(2))
  return undefined
}

function parseResource(group: string, version: string, parts: string[]): ApiPath | undefined {
  const watch = parts[0] === 'watch'
  const rest = watch ? parts.slice(1) : parts
  if (rest.length === 0) return undefined
  if (rest[0] === 'namespaces' && rest.length > 2 && !namespaceParts.has(rest[2]!)) {
    return resourceParts({ group, version, namespace: rest[1]!, watch }, rest.slice(2))
  }
  return resourceParts({ group, version, watch }, rest)
}

function resourceParts(
  common: Pick<ApiPath, 'group' | 'version' | 'namespace' | 'watch'>,
  [plural = '', name, subresource, ...rest]: string[],
): ApiPath {
  return {
    ...common,
    plural,
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
    ...(rest.length > 0 && { rest: rest.join('/') }),
  }
}
