// What the secrets of a folder are about: where their files are, which environments and services there are, and who may
// read them: as sampan.yml says where there is one, else as app.yml and the secret file itself do.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { chainsOf } from '../delivery/manifest/inheritance.ts'
import { suggestion } from '../delivery/manifest/nearest-name.ts'
import { loginSecretsOf, secretsOf } from '../delivery/manifest/manifest.ts'
import { readManifest } from '../delivery/manifest/read-manifest.ts'
import type { SecretFile } from '../delivery/secrets/secret-file.ts'
import type { Team } from '../delivery/team/team.ts'
import { folderAbove } from './folder-above.ts'
import { manifestName, servicesBelow, type NamedManifest } from './find-manifest.ts'
import { findTeam, teamFileName } from './find-team.ts'
import { CommandFailure } from './output.ts'

export interface SecretProject {
  /** The folder of `secrets/`. */
  readonly root: string
  /** undefined: there is no sampan.yml, and the secret file names who reads it. */
  readonly team: Team | undefined
  readonly environments: readonly SecretEnvironment[]
  readonly services: readonly NamedManifest[]
}

export interface SecretEnvironment {
  readonly name: string
  /** Nearest first. */
  readonly extends: readonly string[]
}

/**
 * @param service tells which one is meant, where there is no sampan.yml and several services are below
 * @throws ManifestError for a sampan.yml with mistakes
 */
export function findSecretProject(directory: string, service?: string): SecretProject {
  const found = findTeam(directory)
  if (found !== undefined) {
    const { team } = found
    const services = Object.entries(team.services).map(([name, { path }]) => {
      const file = join(found.folder, path, manifestName)
      return { name, file, text: existsSync(file) ? readFileSync(file, 'utf8') : '' }
    })
    return { root: found.folder, team, services, environments: environmentsIn(team, services) }
  }
  const root = folderAbove(directory, manifestName) ?? serviceBelow(directory, service)
  const services = servicesBelow(root).filter(({ file }) => dirname(resolve(file)) === root)
  return { root, team: undefined, services, environments: environmentsIn(undefined, services) }
}

function serviceBelow(directory: string, wanted: string | undefined): string {
  const found = servicesBelow(directory)
  const meant = found.filter(({ name }) => found.length === 1 || name === wanted)
  if (meant.length === 1) return dirname(resolve(meant[0]!.file))
  throw new CommandFailure(
    found.length === 0
      ? `there is no ${teamFileName} and no ${manifestName} in ${directory} or above, which secrets could belong to`
      : `secrets of ${found.map(({ name }) => name).join(', ')} need a ${teamFileName} above them; name one of them, or change to its folder`,
  )
}

/** Those of the team, and those that only manifests have. */
function environmentsIn(team: Team | undefined, services: readonly NamedManifest[]): SecretEnvironment[] {
  const ofTeam = Object.values(team?.environments ?? {}).map(({ name, extends: chain }) => [name, chain[0]] as const)
  const { chains } = chainsOf(new Map(ofTeam), new Map(services.flatMap(({ text }) => parentsIn(text))))
  return [...chains].map(([name, [, ...parents]]) => ({ name, extends: parents }))
}

/** Environments of a manifest, whose mistakes others tell, with those that they extend. */
function parentsIn(text: string): (readonly [string, string | undefined])[] {
  try {
    const { environments } = parse(text) as { environments?: Record<string, { extends?: unknown } | null> }
    return Object.entries(environments ?? {}).map(([name, written]) => [
      name,
      typeof written?.extends === 'string' ? written.extends : undefined,
    ])
  } catch {
    return []
  }
}

/** The services whose manifest wants the secret in that environment. */
export const servicesThatUse = ({ services, team }: SecretProject, environment: string, secret: string): string[] =>
  services
    .filter(({ file, text }) => {
      try {
        const manifest = readManifest(file, text, environment, team)
        return [...secretsOf(manifest), ...loginSecretsOf(manifest)].includes(secret)
      } catch {
        return false
      }
    })
    .map(({ name }) => name)

/** As sampan.yml says; an environment that it does not name has the readers of the one that it extends. */
export function readersIn({ team, environments }: SecretProject, environment: string): Readers | undefined {
  if (team === undefined) return undefined
  const chain = [environment, ...(environments.find(({ name }) => name === environment)?.extends ?? [])]
  const named = chain.map(name => team.environments[name]).find(each => each !== undefined)
  return Object.fromEntries((named?.readers ?? []).map(reader => [reader, team.people[reader] ?? '']))
}

/** @throws CommandFailure with the nearest name when there is no such environment */
export function environmentIn({ environments }: SecretProject, name: string): SecretEnvironment {
  const found = environments.find(each => each.name === name)
  if (found !== undefined) return found
  if (environments.length === 0 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)) return { name, extends: [] }
  throw new CommandFailure(
    `there is no environment "${name}"; ${suggestion(
      name,
      environments.map(each => each.name),
    )}`,
  )
}

/** @throws CommandFailure with the nearest name when there is no such service */
export function checkService({ services }: SecretProject, name: string): void {
  const names = services.map(each => each.name)
  if (!names.includes(name)) throw new CommandFailure(`there is no service "${name}"; ${suggestion(name, names)}`)
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
  const now = readersIn(project, environment)
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
