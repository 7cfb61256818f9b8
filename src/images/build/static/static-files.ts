// Which files of a folder are pages, and not what makes them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FileFilter } from '../layers/docker-ignore.ts'
import { serviceFiles } from '../layers/service-files.ts'

export const sourcesOf = (directory: string): FileFilter => serviceFiles(directory, { never: ['node_modules'] })

export const hasPackage = (directory: string): boolean => existsSync(join(directory, 'package.json'))

/** Where build scripts put pages, unless `build.output` says it. */
export const usualOutputs = ['dist', 'build', 'public', '_site', 'out', '.vitepress/dist']
export const madeOutput = (directory: string): string | undefined =>
  usualOutputs.find(folder => existsSync(join(directory, folder, 'index.html')))

export const shownFiles: FileFilter = {
  includes: path => !path.split('/').some(part => part.startsWith('.') && part !== '.well-known'),
  mayHold: () => false,
}
