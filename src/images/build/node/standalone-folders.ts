// Where the build of Next.js leaves what goes into an image, and what is to be there.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SourceRoot } from '../builder.ts'
import { applicationFolder } from '../layers/container-config.ts'
import { everything } from '../layers/docker-ignore.ts'
import type { Project } from './project.ts'
import type { StartCommand } from './start-command.ts'

/** Folders that the build left, and where they go. */
interface StandaloneFolders {
  readonly path: string
  /** That of the server first. */
  readonly roots: readonly [SourceRoot, ...SourceRoot[]]
}

/**
 * @param start of the project, as far as it is known before anything is installed
 * @returns undefined: the build makes no such output, or has not made it yet
 */
export function standaloneFolders(
  { directory, path }: Pick<Project, 'directory' | 'path'>,
  { command: [program = '', verb] }: StartCommand,
): StandaloneFolders | undefined {
  if (!/(?:^|\/)next$/.test(program) || verb !== 'start') return undefined
  const folder = join(directory, '.next/standalone')
  // In a workspace it repeats the folders from the workspace's root.
  const below = [...new Set([path, ''])].find(each => existsSync(join(folder, each, 'server.js')))
  if (below === undefined || buildId(join(folder, below)) !== buildId(directory)) return undefined
  const beside = ['.next/static', 'public'].filter(name => existsSync(join(directory, name)))
  return {
    path: below,
    roots: [
      { from: folder, to: join('/', applicationFolder), filter: everything },
      ...beside.map(name => ({
        from: join(directory, name),
        to: join('/', applicationFolder, below, name),
        filter: everything,
      })),
    ],
  }
}

/** What was built is told by it: a folder of an earlier build may have been left. */
function buildId(directory: string): string | undefined {
  const file = join(directory, '.next/BUILD_ID')
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
