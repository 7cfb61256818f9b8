// Makes a folder with those above it. Node.js itself never returns from it below a folder of the kernel such as /proc,
// in which nothing can be made and which says that it is not there.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** @param mode of those that are made @throws as `mkdirSync` does */
export function makeFolder(path: string, mode = 0o777): void {
  const above = dirname(path)
  if (above !== path && kindOf(above) === 'nothing') makeFolder(above, mode)
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || kindOf(path) !== 'folder') throw error
  }
}

/** @throws when it cannot be known: something above it is a file, or nobody may look */
function kindOf(path: string): 'folder' | 'file' | 'nothing' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'nothing'
    throw error
  }
}
