// What is built of a folder, by which builder, and which version it is: as the project says, else the last commit.
import type { Builder } from '../images/build/builder.ts'
import { chooseBuilder } from '../images/build/builders.ts'
import { commitTag } from '../images/build/revision.ts'
import type { BuildSettings } from '../images/build/settings.ts'

export interface ProjectIn {
  readonly builder: Builder
  /** Why this builder. */
  readonly because: string
  /** As the project names itself. */
  readonly name: string | undefined
  readonly version: string | undefined
}

/** @throws BuildError */
export function readProjectIn(directory: string, settings: BuildSettings): ProjectIn {
  const { builder, because } = chooseBuilder(directory, settings)
  const { name, version } = builder.describe(directory)
  return { builder, because, name, version: version ?? commitTag(directory) }
}

/** @returns `problem`: why there is no version */
export function projectIn(
  directory: string,
  settings: BuildSettings,
): { readonly version: string | undefined; readonly problem: string } {
  try {
    const { version, because } = readProjectIn(directory, settings)
    return {
      version,
      problem:
        version === undefined
          ? `${because} in ${directory} has none, and there is no commit`
          : `"${version}", as ${because} in ${directory} has it, cannot be the tag of an image`,
    }
  } catch (error) {
    return { version: undefined, problem: (error as Error).message }
  }
}
