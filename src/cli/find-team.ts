// Finds the file of the team, `sampan.yml`: the nearest one in this folder or above it.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { readTeam } from '../delivery/team/read-team.ts'
import type { Team } from '../delivery/team/team.ts'
import { folderAbove } from './folder-above.ts'

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
  const folder = folderAbove(directory, teamFileName)
  if (folder === undefined) return undefined
  const file = join(folder, teamFileName)
  return { file: relative(process.cwd(), file) || file, folder, text: readFileSync(file, 'utf8') }
}

/** undefined: there is none. @throws ManifestError */
export function findTeam(directory: string): FoundTeam | undefined {
  const found = findTeamFile(directory)
  return found === undefined ? undefined : { ...found, team: readTeam(found.file, found.text) }
}
