// Finds the file of the team, `sampan.yml`: the nearest one in a folder or above it.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { readTeam } from '../delivery/team/read-team.ts'
import type { Team } from '../delivery/team/team.ts'

export const teamFileName = 'sampan.yml'

export interface TeamFile {
  /** As people would type it. */
  readonly file: string
  /** Absolute. */
  readonly folder: string
  readonly text: string
}

export interface FoundTeam extends TeamFile {
  readonly team: Team
}

/** undefined: there is none. */
export function findTeamFile(directory: string): TeamFile | undefined {
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const file = join(folder, teamFileName)
    if (existsSync(file))
      return { file: relative(process.cwd(), file) || file, folder, text: readFileSync(file, 'utf8') }
    if (folder === dirname(folder)) return undefined
  }
}

/** undefined: there is none. @throws ManifestError */
export function findTeam(directory: string): FoundTeam | undefined {
  const found = findTeamFile(directory)
  return found === undefined ? undefined : { ...found, team: readTeam(found.file, found.text) }
}
