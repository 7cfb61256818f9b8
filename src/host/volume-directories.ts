// Directories for volumes, all below one root that nobody but root can look into. Each is open to every user,
// because containers run as any; they see it alone, by its mount.
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** @param root made with the first directory */
export function directoriesBelow(root: string) {
  return {
    async create(name: string): Promise<string> {
      const path = join(root, name)
      assertBelow(path, root)
      await mkdir(root, { recursive: true, mode: 0o700 })
      await mkdir(path, { recursive: true })
      // Not what the process's mask leaves of it.
      await chmod(path, 0o777)
      return path
    },
    async remove(path: string): Promise<void> {
      assertBelow(path, root)
      // What is half gone must not be taken for a volume.
      const doomed = join(root, `.${basename(path).slice(0, 200)}.deleted`)
      await rename(path, doomed).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
      await rm(doomed, { recursive: true, force: true })
    },
  }
}

function assertBelow(path: string, root: string): void {
  if (dirname(path) !== root || basename(path).startsWith('.'))
    throw new Error(`expected a directory right below ${root}, found ${path}; it is left alone`)
}
