// Where a registry is, by the name that stands before an image: over HTTPS, and over plain HTTP on this machine alone
// or where somebody says so.

/** Of names without a registry. */
export const dockerHub = 'docker.io'

/** What the cluster's own is called in names of images. */
export const localRegistry = 'sampan.local'

/** @param registry `ghcr.io`, `127.0.0.1:5000`, or a URL */
export function registryUrl(registry: string): URL {
  if (/^https?:\/\//.test(registry)) return new URL(registry)
  if (registry === dockerHub || registry === 'index.docker.io') return new URL('https://registry-1.docker.io')
  const isLocal = /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(registry)
  return new URL(`${isLocal ? 'http' : 'https'}://${registry}`)
}

/** Docker's own images are in a folder that nobody writes. */
export const repositoryAt = (registry: string, repository: string): string =>
  registry === dockerHub && !repository.includes('/') ? `library/${repository}` : repository
