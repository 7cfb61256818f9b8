// A package.json as far as a build has to know it, and the text of the files beside it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BuildError } from '../build-error.ts'

export interface PackageJson {
  readonly name?: string
  readonly version?: string
  readonly main?: string
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly workspaces?: readonly string[] | { readonly packages?: readonly string[] }
  readonly packageManager?: string
  readonly devEngines?: { readonly packageManager?: NamedTool | readonly NamedTool[] }
  readonly engines?: { readonly node?: string }
}

interface NamedTool {
  readonly name?: string
  readonly version?: string
}

/** @throws BuildError */
export function readPackageJson(directory: string): PackageJson {
  const file = join(directory, 'package.json')
  try {
    return JSON.parse(readWhole(file)) as PackageJson
  } catch (error) {
    if (error instanceof BuildError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new BuildError(
        `expected a package.json in ${directory}, but there is none; sampan builds Node.js and TypeScript services`,
      )
    throw new BuildError(`${file} cannot be read: ${(error as Error).message}`)
  }
}

/** What is installed for production, by name. */
export const productionDependencies = ({
  dependencies,
  optionalDependencies,
}: PackageJson): Readonly<Record<string, string>> => ({ ...dependencies, ...optionalDependencies })

/** What has to be there, and made, before its build script runs. */
export const buildDependencies = (json: PackageJson): Readonly<Record<string, string>> => ({
  ...(json.scripts?.['build'] !== undefined && json.devDependencies),
  ...productionDependencies(json),
})

/** The text of a file that nobody is in the middle of merging. @throws BuildError, or what reading throws */
export function readWhole(file: string): string {
  const text = readFileSync(file, 'utf8')
  const mark = /^(?:<{7}|>{7})(?: |$)/m.exec(text)
  if (mark === null) return text
  const line = text.slice(0, mark.index).split('\n').length
  throw new BuildError(
    `${file}:${line} has the marks of a merge that is not finished (${mark[0].trim()}); finish it, and build again`,
  )
}
