// How changes come into a running container where the image has the service's files as they are: a language that is
// not compiled, or plain pages.
import { join } from 'node:path'
import type { Development } from '../builder.ts'
import { applicationFolder } from '../layers/container-config.ts'
import { everything, type FileFilter } from '../layers/docker-ignore.ts'
import type { BuildSettings } from '../settings.ts'

/** @param making names of files that change more of the image than themselves */
export function plainDevelopment(
  directory: string,
  { run, output }: Pick<BuildSettings, 'run' | 'output'>,
  sources: FileFilter,
  making: readonly string[] = [],
): Development {
  return {
    roots: () => [
      {
        from: join(directory, output ?? ''),
        to: `/${applicationFolder}`,
        filter: output === undefined ? sources : everything,
      },
    ],
    making: [...making, '.dockerignore'].map(name => join(directory, name)),
    steps: run === undefined ? [] : [{ directory, command: run }],
  }
}
