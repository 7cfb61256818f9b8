// What is built of a folder, by which builder, and which version it is: as the project says, else the last commit.
import type { Builder } from '../images/build/builder.ts'
import { chooseBuilder } from '../images/build/builders.ts'
import { commitTag } from '../images/build/revision.ts'
import type { BuildSettings } from '../images/build/settings.ts'

export interface ProjectIn {
  readonly builder: Builder
  /** Why this builder, and which other one would do. */
  readonly because: string
  /** What it is known by: `package.json`. */
  readonly knownBy: string
  /** As the project names itself. */
  readonly name: string | undefined
  readonly version: string | undefined
}

/** @throws BuildError */
export function readProjectIn(directory: string, settings: BuildSettings): ProjectIn {
  const { builder, because } = chooseBuilder(directory, settings)
  const { name, version } = builder.describe(directory)
  return { builder, because, knownBy: because.split(' (', 1)[0]!, name, version: version ?? commitTag(directory) }
}

/** @returns `problem`: why there is no version */
export function projectIn(
  directory: string,
  settings: BuildSettings,
): { readonly version: string | undefined; readonly problem: string } {
  try {
    const { version, knownBy } = readProjectIn(directory, settings)
    return {
      version,
      problem:
        version === undefined
          ? `${knownBy} in ${directory} has none, and there is no commit`
          : `"${version}", as ${knownBy} in ${directory} has it, cannot be the tag of an image`,
    }
  } catch (error) {
    return { version: undefined, problem: (error as Error).message }
  }
}
