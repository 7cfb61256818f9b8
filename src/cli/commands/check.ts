// `sampan check [files or folders]`: what is wrong with manifests and the team's file, without a cluster.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { findingText, type Finding } from '../../delivery/manifest/manifest-error.ts'
import { mistakesInManifest, mistakesInTeam } from '../check-file.ts'
import { filesBelow } from '../files-below.ts'
import { manifestName, readManifestFile } from '../find-manifest.ts'
import { findTeamFile, teamFileName } from '../find-team.ts'
import { CommandFailure, Output } from '../output.ts'

interface CheckOptions {
  readonly output?: 'json'
}

interface CheckedText {
  readonly file: string
  readonly mistakes: readonly Finding[]
}

/** @throws CommandFailure when there are mistakes, after they have been printed */
export function checkCommand(places: readonly string[], { output: format }: CheckOptions): void {
  const files = filesIn(places)
  const checked = files.map((path): CheckedText => {
    const found = readManifestFile(path)
    const mistakes = basename(path) === teamFileName ? mistakesInTeam(found, textOf) : mistakesInManifest(found)
    return { file: found.file, mistakes }
  })
  if (format === 'json') console.log(JSON.stringify({ files: checked }))
  else
    for (const { file, mistakes } of checked)
      for (const mistake of mistakes) console.log(`${file}:${findingText(mistake)}`)
  const wrong = checked.filter(({ mistakes }) => mistakes.length > 0)
  const count = wrong.reduce((sum, { mistakes }) => sum + mistakes.length, 0)
  if (count > 0)
    throw new CommandFailure(`${counted(count, 'mistake')} in ${wrong.length} of ${counted(files.length, 'file')}`)
  if (format !== 'json') new Output().line(`${counted(files.length, 'file')}, no mistakes`)
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** Absolute; the team's file in which a manifest is looked up is checked with it. */
function filesIn(places: readonly string[]): readonly string[] {
  const files = places.flatMap(place => {
    if (!existsSync(place)) throw new CommandFailure(`there is no ${place}`)
    if (!statSync(place).isDirectory()) return [resolve(place)]
    const found = filesBelow(resolve(place), name => name === manifestName || name === teamFileName)
    if (found.length > 0) return found
    const advice = 'write a first one with: sampan init'
    throw new CommandFailure(`there is no ${manifestName} and no ${teamFileName} in ${place} or below; ${advice}`)
  })
  const teams = files.flatMap(file => findTeamFile(resolve(file, '..')) ?? [])
  return [...new Set([...teams.map(({ folder }) => resolve(folder, teamFileName)), ...files])]
}

const textOf = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, 'utf8') : undefined)
