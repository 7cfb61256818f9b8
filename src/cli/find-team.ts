// Finds the file of the team, `sampan.yml`: the nearest one in this folder or above it.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { readTeam } from '../delivery/team/read-team.ts'
import type { Team } from '../delivery/team/team.ts'

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
  let folder = resolve(directory)
  for (;;) {
    const file = join(folder, teamFileName)
    if (existsSync(file))
      return { file: relative(process.cwd(), file) || file, directory: folder, text: readFileSync(file, 'utf8') }
    const above = dirname(folder)
    if (above === folder) return undefined
    folder = above
  }
}

/** @throws ManifestError */
export function teamOf(directory: string): Team | undefined {
  const found = findTeam(directory)
  return found === undefined ? undefined : readTeam(found.file, found.text)
}
