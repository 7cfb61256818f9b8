// A Python project as its files describe it: name, programs, and where what it depends on is written down.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { ProjectName } from '../builder.ts'
import { readToml } from '../read-toml.ts'

interface PyProject {
  readonly project?: {
    readonly name?: string
    readonly version?: string
    readonly scripts?: Readonly<Record<string, string>>
    readonly dependencies?: readonly string[]
    readonly 'requires-python'?: string
  }
  readonly tool?: {
    readonly poetry?: {
      readonly name?: string
      readonly version?: string
      readonly scripts?: Readonly<Record<string, unknown>>
      readonly dependencies?: Readonly<Record<string, unknown>>
    }
  }
}

const lockFiles = ['uv.lock', 'poetry.lock', 'Pipfile.lock'] as const
const known = ['pyproject.toml', 'requirements.txt', ...lockFiles, 'Pipfile', 'manage.py', 'app.py', 'main.py']

/** What is no part of the service. */
export const leftOut = {
  never: ['__pycache__', '.venv', 'venv', '.tox', '.nox', '.pytest_cache', '.mypy_cache', '.ruff_cache'],
  usually: ['**/*.pyc', '**/*.egg-info', '**/test_*.py', '**/*_test.py', '**/conftest.py', '**/.coverage'],
}

export const looksFor = `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`

export const findsPython = (directory: string): string | undefined =>
  known.find(name => existsSync(join(directory, name)))

const readPyProject = (directory: string): PyProject => {
  const file = join(directory, 'pyproject.toml')
  return existsSync(file) ? readToml<PyProject>(file) : {}
}

export function describePython(directory: string): ProjectName {
  const { project = {}, tool = {} } = readPyProject(directory)
  const name = project.name ?? tool.poetry?.name
  return {
    // As an index of packages writes it.
    name: name?.toLowerCase().replaceAll(/[-_.]+/g, '-'),
    version: project.version ?? tool.poetry?.version,
  }
}

/** `serve` -> `package.module:function` */
export function scriptsOf(directory: string): ReadonlyMap<string, string> {
  const { project = {}, tool = {} } = readPyProject(directory)
  const scripts = { ...tool.poetry?.scripts, ...project.scripts }
  return new Map(Object.entries(scripts).filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
}

export interface Dependencies {
  /** `uv.lock` ..., or `requirements.txt`. */
  readonly file: string
  readonly isLock: boolean
  /** All that decides what is installed, relative to the folder. */
  readonly files: readonly string[]
}

/** undefined: it depends on nothing. @throws BuildError where something is needed and no versions are written down */
export function dependenciesOf(directory: string): Dependencies | undefined {
  const lock = lockFiles.find(name => existsSync(join(directory, name)))
  if (lock !== undefined)
    return {
      file: lock,
      isLock: true,
      files: [lock, ...['pyproject.toml'].filter(name => existsSync(join(directory, name)))],
    }
  if (existsSync(join(directory, 'requirements.txt'))) {
    const files = requirementFiles(directory, 'requirements.txt')
    return { file: 'requirements.txt', isLock: false, files }
  }
  const { project = {}, tool = {} } = readPyProject(directory)
  const needed = [
    ...(project.dependencies ?? []),
    ...Object.keys(tool.poetry?.dependencies ?? {}).filter(name => name.toLowerCase() !== 'python'),
  ]
  if (needed.length > 0 || existsSync(join(directory, 'Pipfile')))
    throw new BuildError(
      `expected uv.lock, poetry.lock, Pipfile.lock or requirements.txt in ${directory}, because a build must be repeatable; make one with: uv lock, poetry lock, pipenv lock, or pip freeze > requirements.txt`,
    )
  return undefined
}

/** A file of requirements and those that it takes in with `-r` and `-c`. */
function requirementFiles(directory: string, file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return []
  seen.add(file)
  const path = join(directory, file)
  if (!existsSync(path)) throw new BuildError(`${file} is named in ${directory}/requirements.txt, but there is none`)
  const further = [...readFileSync(path, 'utf8').matchAll(/^\s*(?:-r|-c|--requirement|--constraint)[\s=]+(\S+)/gm)].map(
    ([, name]) => normalize(join(dirname(file), name!)),
  )
  return [file, ...further.flatMap(name => requirementFiles(directory, name, seen))]
}

/** Lines that name a package without saying which version. */
export function unpinned(directory: string, files: readonly string[]): string[] {
  return files.flatMap(file =>
    readFileSync(join(directory, file), 'utf8')
      .replaceAll(/\\\r?\n/g, ' ')
      .split('\n')
      .map(line => line.replace(/(?:^|\s)#.*/, '').trim())
      .filter(line => /^[A-Za-z0-9]/.test(line) && !/===?|@\s|--hash=/.test(line))
      .map(line => /^[\w.-]+/.exec(line)![0]),
  )
}
