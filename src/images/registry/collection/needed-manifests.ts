// Which manifests of a repository are needed: the roots, what they name, and what is about a needed one (its signature,
// its list of contents), as far as that leads. Pure.

export interface MarkedManifest {
  readonly digest: string
  /** Needed for its own sake. */
  readonly isRoot: boolean
  /** Digests of what it consists of, manifests among them. */
  readonly names: readonly string[]
  /** The manifest that it is about. */
  readonly subject: string | undefined
}

export function neededManifests(manifests: readonly MarkedManifest[]): ReadonlySet<string> {
  const byDigest = new Map(manifests.map(manifest => [manifest.digest, manifest]))
  const about = Map.groupBy(manifests, ({ subject }) => subject)
  const needed = new Set<string>()
  const waiting = manifests.filter(({ isRoot }) => isRoot)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (needed.has(next.digest)) continue
    needed.add(next.digest)
    waiting.push(...next.names.flatMap(name => byDigest.get(name) ?? []), ...(about.get(next.digest) ?? []))
  }
  return needed
}
