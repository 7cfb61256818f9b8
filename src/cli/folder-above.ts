// The nearest folder, from the given one upwards, that has a file of this name.
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export function folderAbove(directory: string, file: string): string | undefined {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    if (existsSync(join(folder, file))) return folder
    if (folder === dirname(folder)) return undefined
  }
}
