// Makes a folder with those above it. Node.js itself never returns from it below a folder of the kernel such as /proc,
// in which nothing can be made and which says that it is not there.
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** @param mode of those that are made @throws as `mkdir` does */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  const above = dirname(path)
  if (above !== path && (await kindOf(above)) === 'nothing') await makeFolder(above, mode)
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || (await kindOf(path)) !== 'folder') throw error
  }
}

/** @throws when it cannot be known: something above it is a file, or nobody may look */
async function kindOf(path: string): Promise<'folder' | 'file' | 'nothing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'nothing'
    throw error
  }
}
