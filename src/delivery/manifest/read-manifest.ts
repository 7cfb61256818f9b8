// From the text of an `app.yml`, the name of an environment and the team's file to a complete manifest.
import type { Team } from '../team/team.ts'
import { checkFile, type CheckedFile } from './check.ts'
import { completeManifest } from './complete-manifest.ts'
import { manifestFields } from './fields.ts'
import { chainsOf } from './inheritance.ts'
import { readLayers, type Layered } from './layered-file.ts'
import { ManifestError, ordered, UnknownEnvironment, type Finding } from './manifest-error.ts'
import type { Manifest } from './manifest.ts'
import { suggestion } from './nearest-name.ts'
import { rulesFor } from './rules.ts'
import type { Written } from './written.ts'

/** A manifest whose text is read, for who wants to know more than one thing of it. */
export interface OpenManifest {
  readonly file: string
  readonly checked: CheckedFile
}

export const openManifest = (file: string, text: string): OpenManifest => ({
  file,
  checked: checkFile(text, manifestFields, 'the manifest'),
})

export const readManifest = (file: string, text: string, environment: string, team?: Team): Manifest =>
  manifestOf(openManifest(file, text), environment, team)

/**
 * Mistakes of all environments are told, not only of the one that is asked for.
 * @param team whose environments may be delivered to beside those that the manifest names
 * @throws ManifestError, UnknownEnvironment when nothing else is wrong
 */
export function manifestOf({ file, checked }: OpenManifest, environment: string, team?: Team): Manifest {
  const { values, findings, known, lineAt } = readEnvironments(checked, team, environment)
  if (findings.length > 0) throw new ManifestError(file, findings)
  const written = values.get(environment)
  if (written === undefined) {
    const message = `there is no environment "${environment}"; ${suggestion(environment, known)}`
    throw new UnknownEnvironment(file, [{ line: lineAt(['environments']), field: '', message }])
  }
  return completeManifest(written, environment, team)
}

/** @throws ManifestError with what is wrong in any of the environments that it and the team have */
export function checkManifest(file: string, text: string, team?: Team): void {
  const { findings } = readEnvironments(openManifest(file, text).checked, team)
  if (findings.length > 0) throw new ManifestError(file, findings)
}

/** Which environments the manifest names. @throws ManifestError */
export function environmentsOf({ file, checked }: OpenManifest): string[] {
  if (checked.findings.length > 0) throw new ManifestError(file, ordered(checked.findings))
  return Object.keys(environmentsIn(checked))
}

const environmentsIn = ({ value }: CheckedFile): Readonly<Record<string, { readonly extends?: string }>> =>
  (value['environments'] ?? {}) as Record<string, { extends?: string }>

/** Where no environment is named at all, any may be meant. */
const anyEnvironment = 'test'

interface ReadEnvironments {
  readonly values: Layered<Written>
  readonly findings: readonly Finding[]
  readonly known: readonly string[]
  readonly lineAt: CheckedFile['lineAt']
}

function readEnvironments(file: CheckedFile, team: Team | undefined, asked = anyEnvironment): ReadEnvironments {
  const own = Object.entries(environmentsIn(file)).map(
    ([name, { extends: extended }]) => [name, extended ?? undefined] as const,
  )
  const ofTeam = Object.values(team?.environments ?? {}).map(({ name, extends: chain }) => [name, chain[0]] as const)
  const { chains, mistakes } = chainsOf(new Map(own), new Map(ofTeam))
  const known = [...new Set([...own, ...ofTeam].map(([name]) => name))]
  const layers = known.length > 0 ? chains : new Map([[asked, [asked]]])
  const { values, findings } = readLayers<Written>(file, manifestFields, layers, rulesFor(team))
  const ofChains = mistakes.map(({ path, message }) => ({ line: file.lineAt(path), field: path.join('.'), message }))
  return { values, findings: ordered([...file.findings, ...ofChains, ...findings]), known, lineAt: file.lineAt }
}
