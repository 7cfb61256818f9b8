// What the tag of an image stands for now: asks its registry, without credentials, as anybody may.
// Source: OCI distribution specification; the tokens are those of Docker's registries.

export type TagAnswer =
  | { readonly digest: string }
  /** The registry answers and has no such tag; the tags it has. */
  | { readonly tags: readonly string[] }
  /** Why it could not be found out. */
  | { readonly reason: string }

const timeoutMs = 10_000
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/** @param registry URL, such as `http://127.0.0.1:5000` */
export async function findDigest(registry: string, repository: string, tag: string): Promise<TagAnswer> {
  try {
    const base = `${registry}/v2/${repository}`
    const answer = await ask(`${base}/manifests/${tag}`, 'HEAD')
    const digest = answer.headers.get('docker-content-digest')
    if (answer.ok && digest !== null) return { digest }
    if (answer.status !== 404)
      return { reason: `${registry} answers ${answer.status} when it is asked for ${repository}:${tag}` }
    const { tags } = (await (await ask(`${base}/tags/list`, 'GET')).json().catch(() => ({}))) as { tags?: string[] }
    return { tags: tags ?? [] }
  } catch (error) {
    const { message, cause } = error as Error
    return {
      reason: `${registry} cannot be asked for ${repository}:${tag} from here (${cause instanceof Error ? cause.message : message})`,
    }
  }
}

async function ask(url: string, method: 'GET' | 'HEAD'): Promise<Response> {
  const request = (headers: Record<string, string>): Promise<Response> =>
    fetch(url, { method, headers: { accept: manifestTypes, ...headers }, signal: AbortSignal.timeout(timeoutMs) })
  const answer = await request({})
  const challenge = answer.headers.get('www-authenticate') ?? ''
  if (answer.status !== 401 || !/^bearer /i.test(challenge)) return answer
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  )
  const { realm, ...rest } = parameters as Record<string, string>
  if (realm === undefined) return answer
  const granted = await fetch(`${realm}?${new URLSearchParams(rest)}`, { signal: AbortSignal.timeout(timeoutMs) })
  const { token, access_token: accessToken } = (await granted.json().catch(() => ({}))) as Record<string, string>
  return request({ authorization: `Bearer ${token ?? accessToken}` })
}
