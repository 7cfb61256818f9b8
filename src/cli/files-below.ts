// Files of a folder and of those below it, without what is hidden, installed or built.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const skipped = new Set(['node_modules', 'dist'])

/** In the folder first, then folder by folder in the order of their names. */
export function filesBelow(directory: string, isWanted: (name: string) => boolean, levels = Infinity): string[] {
  const entries = readdirSync(directory, { withFileTypes: true }).sort((left, right) =>
    left.name < right.name ? -1 : 1,
  )
  const here = entries
    .filter(entry => !entry.isDirectory() && isWanted(entry.name))
    .map(({ name }) => join(directory, name))
  if (levels === 0) return here
  const folders = entries.filter(
    entry => entry.isDirectory() && !entry.name.startsWith('.') && !skipped.has(entry.name),
  )
  return [...here, ...folders.flatMap(({ name }) => filesBelow(join(directory, name), isWanted, levels - 1))]
}
