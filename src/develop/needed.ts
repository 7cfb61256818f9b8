// What a change of files needs, the least that does it: nothing, the changed files in the container, another image, or
// another delivery.

export interface ServiceFiles {
  /** How it is delivered: its app.yml, and the team's sampan.yml. */
  readonly manifests: readonly string[]
  /** Files that the image's lower layers are made of: lock files, the package.json. */
  readonly making: readonly string[]
  /** Whether changed sources can be brought into a running container. */
  readonly syncable: boolean
}

export type Need = 'files' | 'image' | 'delivery'

/** @param changed paths on this machine of files that hold something else, or came, or went */
export function neededFor(changed: readonly string[], { manifests, making, syncable }: ServiceFiles): readonly Need[] {
  const sources = changed.filter(path => !manifests.includes(path))
  const needs: Need[] = sources.length < changed.length ? ['delivery'] : []
  if (sources.length > 0) needs.push(!syncable || sources.some(path => making.includes(path)) ? 'image' : 'files')
  return needs
}
