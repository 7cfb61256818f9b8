// What a change of files needs, the least that does it: nothing, the changed files in the container, another image, or
// another delivery.

export interface ServiceFiles {
  readonly manifest: string
  /** Files that the image's lower layers are made of: lock files, the package.json. */
  readonly making: readonly string[]
  /** Whether changed sources can be brought into a running container. */
  readonly syncable: boolean
}

export type Need = 'nothing' | 'files' | 'image' | 'delivery'

/**
 * @param changed paths on this machine of files that hold something else, or came, or went
 */
export function neededFor(changed: readonly string[], { manifest, making, syncable }: ServiceFiles): Need {
  if (changed.length === 0) return 'nothing'
  if (changed.includes(manifest)) return 'delivery'
  if (!syncable || changed.some(path => making.includes(path))) return 'image'
  return 'files'
}
