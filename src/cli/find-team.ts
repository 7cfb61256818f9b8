// Finds the file of the team, `sampan.yml`: the nearest one in this folder or above it.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { readTeam } from '../delivery/team/read-team.ts'
import type { Team } from '../delivery/team/team.ts'
import { folderAbove } from './folder-above.ts'

export const teamFileName = 'sampan.yml'

export interface FoundTeam {
  /** As people would type it. */
  readonly file: string
  /** Absolute. */
  readonly directory: string
  readonly text: string
}

/** undefined: there is none. */
export function findTeam(directory: string): FoundTeam | undefined {
  const folder = folderAbove(directory, teamFileName)
  if (folder === undefined) return undefined
  const file = join(folder, teamFileName)
  return { file: relative(process.cwd(), file) || file, directory: folder, text: readFileSync(file, 'utf8') }
}

/** @throws ManifestError */
export function teamOf(directory: string): Team | undefined {
  const found = findTeam(directory)
  return found === undefined ? undefined : readTeam(found.file, found.text)
}
