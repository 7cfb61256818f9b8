// What stands in the folder of a service, as far as a first manifest can be guessed from it.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { BuildError } from '../../images/build/build-error.ts'
import { chooseBuilder } from '../../images/build/builders.ts'
import { defaultSettings } from '../../images/build/settings.ts'
import { filesBelow } from '../files-below.ts'

export interface ServiceFolder {
  /** Its own name. */
  readonly name: string
  /** Text files by their paths in the folder: code, and what says how it is built. */
  readonly files: ReadonlyMap<string, string>
  /** Why an image of it shows pages, and runs nothing of the folder's own; undefined: it does not. */
  readonly site?: string
}

const isRead = (name: string): boolean =>
  /\.(?:[cm]?[jt]s|py|go|prisma)$/.test(name) ||
  /^(?:package\.json|Dockerfile|pyproject\.toml|requirements.*\.txt|go\.mod|alembic\.ini)$/.test(name)
const isTest = (path: string): boolean => /(?:\.|_)(?:test|spec)\.|(?:^|\/)(?:tests?|__tests__)\/|\.d\.ts$/.test(path)

const levels = 4
const mostFiles = 500
const mostBytes = 256 * 1024

export function readServiceFolder(directory: string): ServiceFolder {
  const folder = resolve(directory)
  const paths = filesBelow(folder, isRead, levels)
    .filter(path => !isTest(relative(folder, path)) && statSync(path).size <= mostBytes)
    .slice(0, mostFiles)
  const site = siteIn(folder)
  return {
    name: basename(folder),
    files: new Map(paths.map(path => [relative(folder, path), readFileSync(path, 'utf8')])),
    ...(site !== undefined && { site }),
  }
}

function siteIn(folder: string): string | undefined {
  try {
    const { builder, because } = chooseBuilder(folder, defaultSettings)
    return builder.name === 'static' ? because.split(' (', 1)[0] : undefined
  } catch (error) {
    if (error instanceof BuildError) return undefined
    throw error
  }
}

/** Whether a package is installed in the folder itself. */
export const isInstalled = (directory: string, name: string): boolean =>
  existsSync(join(resolve(directory), 'node_modules', name, 'package.json'))
