// What the secrets of a folder are about: where their files are, which environments and services there are, and who may
// read them: as sampan.yml says where there is one, else as app.yml and the secret file itself do.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { nearestName } from '../delivery/manifest/nearest-name.ts'
import type { SecretFile } from '../delivery/secrets/secret-file.ts'
import type { Team } from '../delivery/team/team.ts'
import { manifestName, servicesBelow, type NamedManifest } from './find-manifest.ts'
import { CommandFailure } from './output.ts'

export interface SecretProject {
  /** The folder of `secrets/`. */
  readonly root: string
  readonly environments: readonly SecretEnvironment[]
  readonly services: readonly NamedManifest[]
  /** undefined: whom the file names. */
  readonly readersOf: (environment: string) => Readonly<Record<string, string>> | undefined
}

export interface SecretEnvironment {
  readonly name: string
  /** Nearest first. */
  readonly extends: readonly string[]
}

export const teamFileName = 'sampan.yml'

export function findSecretProject(directory: string): SecretProject {
  const teamRoot = upwards(directory, teamFileName)
  if (teamRoot !== undefined) return teamProject(teamRoot, readTeamFile(join(teamRoot, teamFileName)))
  const root = upwards(directory, manifestName) ?? onlyServiceBelow(directory)
  const services = servicesBelow(root).filter(({ file }) => dirname(resolve(file)) === root)
  return { root, environments: environmentsOf(services), services, readersOf: () => undefined }
}

function upwards(directory: string, file: string): string | undefined {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    if (existsSync(join(folder, file))) return folder
    if (folder === dirname(folder)) return undefined
  }
}

function onlyServiceBelow(directory: string): string {
  const found = servicesBelow(directory)
  if (found.length === 1) return dirname(resolve(found[0]!.file))
  throw new CommandFailure(
    found.length === 0
      ? `there is no ${teamFileName} and no ${manifestName} in ${directory} or above, which secrets could belong to`
      : `secrets of ${found.map(({ name }) => name).join(', ')} need a ${teamFileName} above them, or change to the folder of one of them`,
  )
}

function teamProject(root: string, team: Team): SecretProject {
  return {
    root,
    environments: Object.values(team.environments).map(each => ({ name: each.name, extends: each.extends })),
    services: Object.entries(team.services).map(([name, { path }]) => {
      const file = join(root, path, manifestName)
      return { name, file, text: existsSync(file) ? readFileSync(file, 'utf8') : '' }
    }),
    readersOf: environment =>
      Object.fromEntries(
        (team.environments[environment]?.readers ?? []).map(reader => [reader, team.people[reader] ?? '']),
      ),
  }
}

/** Of manifests whose mistakes others tell. */
interface WrittenManifest {
  readonly secrets?: unknown
  readonly environments?: Readonly<Record<string, { readonly extends?: unknown; readonly secrets?: unknown } | null>>
}

function writtenIn(text: string): WrittenManifest {
  try {
    return (parse(text) as WrittenManifest | null) ?? {}
  } catch {
    return {}
  }
}

const environmentsOf = (services: readonly NamedManifest[]): SecretEnvironment[] =>
  services.flatMap(({ text }) =>
    Object.keys(writtenIn(text).environments ?? {}).map(name => ({ name, extends: manifestChain(text, name) })),
  )

/** The environments from which one inherits as an `app.yml` says, nearest first. */
export const manifestChain = (text: string, environment: string): string[] =>
  chainOf(environment, name => {
    const parent = writtenIn(text).environments?.[name]?.extends
    return typeof parent === 'string' ? parent : undefined
  })

function chainOf(start: string, parentOf: (name: string) => string | undefined): string[] {
  const chain = [start]
  for (let next = parentOf(start); next !== undefined && !chain.includes(next); next = parentOf(next)) chain.push(next)
  return chain.slice(1)
}

/** The services whose manifest wants the secret in that environment. */
export const servicesThatUse = (
  { services }: SecretProject,
  { name: environment, extends: parents }: SecretEnvironment,
  secret: string,
): string[] =>
  services
    .filter(({ text }) => {
      const { secrets, environments } = writtenIn(text)
      const lists = [secrets, ...[environment, ...parents].map(each => environments?.[each]?.secrets)]
      return lists.some(names => Array.isArray(names) && names.includes(secret))
    })
    .map(({ name }) => name)

/** @throws CommandFailure with the nearest name when there is no such environment */
export function environmentIn({ environments }: SecretProject, name: string): SecretEnvironment {
  const found = environments.find(each => each.name === name)
  if (found !== undefined) return found
  if (environments.length === 0 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) return { name, extends: [] }
  throw new CommandFailure(
    `there is no environment "${name}"${suggestion(
      name,
      environments.map(each => each.name),
    )}`,
  )
}

/** @throws CommandFailure with the nearest name when there is no such service */
export function checkService({ services }: SecretProject, name: string): void {
  const names = services.map(each => each.name)
  if (!names.includes(name)) throw new CommandFailure(`there is no service "${name}"${suggestion(name, names)}`)
}

function suggestion(typed: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const meant = nearestName(typed, known)
  return `; ${meant === undefined ? `there is ${known.join(', ')}` : `did you mean "${meant}"?`}`
}

export type Readers = Readonly<Record<string, string>>

/**
 * For whom a value is encrypted that is added to the file.
 * @param alone recipients of whoever makes the first file without a sampan.yml
 * @throws CommandFailure when the readers have changed since the file was written
 */
export async function readersFor(
  project: SecretProject,
  file: SecretFile,
  alone: () => Promise<Readers>,
): Promise<Readers> {
  const { readers: before, environment } = file
  const now = project.readersOf(environment)
  if (now === undefined) return Object.keys(before).length > 0 ? before : alone()
  if (Object.keys(now).length === 0)
    throw new CommandFailure(
      `environments.${environment} in ${teamFileName} has no readers; add names of people, whose keys "sampan secret keygen" makes`,
    )
  if (file.secrets.length === 0) return now
  const change = changeOfReaders(before, now)
  if (change === undefined) return now
  throw new CommandFailure(
    `the readers of ${environment} have changed: ${change}; run "sampan secret rekey -e ${environment}" first`,
  )
}

/** undefined: they are the same. */
export function changeOfReaders(before: Readers, now: Readers): string | undefined {
  const added = Object.keys(now).filter(name => before[name] === undefined)
  const gone = Object.keys(before).filter(name => now[name] === undefined)
  const other = Object.keys(now).filter(name => before[name] !== undefined && before[name] !== now[name])
  const told = [
    ...(added.length > 0 ? [`added ${added.join(', ')}`] : []),
    ...(gone.length > 0 ? [`taken out ${gone.join(', ')}`] : []),
    ...(other.length > 0 ? [`another key of ${other.join(', ')}`] : []),
  ]
  return told.length === 0 ? undefined : told.join('; ')
}

interface WrittenTeam {
  readonly people?: Record<string, string>
  readonly environments?: Record<string, { extends?: string; readers?: string[] } | null>
  readonly services?: Record<string, { path?: string } | string | null>
}

/** What secrets need of sampan.yml. */
function readTeamFile(path: string): Team {
  const written = (parse(readFileSync(path, 'utf8')) as WrittenTeam | null) ?? {}
  const environments = written.environments ?? {}
  const above = (name: string): string[] => chainOf(name, each => environments[each]?.extends)
  return {
    people: written.people ?? {},
    hooks: {},
    services: Object.fromEntries(
      Object.entries(written.services ?? {}).map(([name, each]) => [
        name,
        { path: (typeof each === 'string' ? each : each?.path) ?? name, needs: [] },
      ]),
    ),
    environments: Object.fromEntries(
      Object.keys(environments).map(name => [
        name,
        {
          name,
          extends: above(name),
          engine: 'kubernetes' as const,
          domain: '',
          namespace: 'environment' as const,
          servers: {},
          readers:
            [name, ...above(name)].map(each => environments[each]?.readers).find(each => each !== undefined) ?? [],
        },
      ]),
    ),
  }
}
