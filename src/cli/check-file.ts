// What is wrong with a manifest or a team's file, as far as that is seen on this machine: also whether the files that it
// names are there.
import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ManifestError, ordered, type Finding } from '../delivery/manifest/manifest-error.ts'
import {
  authoritiesOfTeam,
  filesOfManifest,
  servicesOfTeam,
  type MentionedFile,
} from '../delivery/manifest/mentioned-files.ts'
import { checkManifest } from '../delivery/manifest/read-manifest.ts'
import { largestBundle } from '../delivery/plan/bundles.ts'
import { checkTeam } from '../delivery/team/read-team.ts'
import { manifestName, nameIn, type FoundManifest } from './find-manifest.ts'
import { findTeamFile } from './find-team.ts'

export function mistakesInManifest({ file, text }: FoundManifest): readonly Finding[] {
  const folder = dirname(resolve(file))
  const team = findTeamFile(folder)
  return ordered([
    ...findingsOf(() => checkManifest(file, text, team === undefined ? undefined : checkTeam(team.text).team)),
    ...filesOfManifest(text).flatMap(mentioned => missing(mentioned, folder)),
  ])
}

function findingsOf(check: () => void): readonly Finding[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof ManifestError) return error.findings
    throw error
  }
}

/** @param read the text of a file, by its absolute path; undefined: it is not there */
export function mistakesInTeam(
  { file, text }: FoundManifest,
  read: (path: string) => string | undefined,
): readonly Finding[] {
  const folder = dirname(resolve(file))
  const services = servicesOfTeam(text).flatMap(({ name, line, field, source }): Finding[] => {
    const manifest = read(resolve(folder, source, manifestName))
    if (manifest === undefined) {
      const path = join(source, manifestName)
      return [{ line, field, message: `expected an ${manifestName} in its folder, found no ${path}` }]
    }
    const found = nameIn(manifest)
    if (found === undefined || found === name) return []
    return [{ line, field, message: `expected the folder of "${name}", found that of "${found}": ${source}` }]
  })
  const authorities = authoritiesOfTeam(text).flatMap(mentioned => missing(mentioned, folder))
  return ordered([...checkTeam(text).findings, ...services, ...authorities])
}

function missing({ line, field, source }: MentionedFile, folder: string): Finding[] {
  const found = statSync(resolve(folder, source), { throwIfNoEntry: false })
  if (found === undefined) return [{ line, field, message: `expected a file beside this one, found no ${source}` }]
  if (found.isFile())
    return found.size <= largestBundle
      ? []
      : [
          {
            line,
            field,
            message: `expected at most ${largestBundle / 1024} KiB, found ${Math.ceil(found.size / 1024)}: ${source}`,
          },
        ]
  return [{ line, field, message: `expected a file, found a ${found.isDirectory() ? 'folder' : 'device'}: ${source}` }]
}
