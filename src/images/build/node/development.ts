// How changed sources of a service come into its running container while it is worked on.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Development, SourceRoot } from '../builder.ts'
import { applicationFolder } from '../layers/container-config.ts'
import type { FileFilter } from '../layers/docker-ignore.ts'
import type { BuildSettings } from '../settings.ts'
import { applicationFilter, readProject } from './project.ts'

const all: FileFilter = { includes: () => true, mayHold: () => true }

/** @throws BuildError */
export function nodeDevelopment(directory: string, { run, output }: BuildSettings): Development {
  const { root, path, needed, built, lock } = readProject(directory)
  const folders = needed.map(each => join(root, each))
  const roots = needed.map((each, index): SourceRoot =>
    each === path && output !== undefined
      ? { from: join(directory, output), to: join('/', applicationFolder, path, output), filter: all }
      : {
          from: folders[index]!,
          to: join('/', applicationFolder, each),
          filter: applicationFilter(folders[index]!, root),
        },
  )
  // npm runs the scripts of every package manager, and is there; only Plug'n'Play hides programs from it.
  const script = existsSync(join(root, '.pnp.cjs')) ? ['yarn', 'run', 'build'] : ['npm', 'run', '--silent', 'build']
  const made = run === undefined ? built : built.filter(folder => folder !== directory)
  return {
    roots,
    making: [
      ...[lock?.file ?? 'package-lock.json', ...(lock?.manager.settings ?? []), '.dockerignore'].map(name =>
        join(root, name),
      ),
      ...folders.flatMap(folder => [join(folder, 'package.json'), join(folder, '.dockerignore')]),
    ],
    steps: [
      ...made.map(folder => ({ directory: folder, command: script })),
      ...(run === undefined ? [] : [{ directory, command: run }]),
    ],
  }
}
