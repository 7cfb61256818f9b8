// How changed sources of a service come into its running container while it is worked on.
import { join } from 'node:path'
import type { Development, DevelopmentStep, SourceRoot } from '../builder.ts'
import { applicationFolder } from '../layers/container-config.ts'
import { everything } from '../layers/docker-ignore.ts'
import type { BuildSettings } from '../settings.ts'
import { applicationFilter, readProject, startOf, type Project } from './project.ts'
import { standaloneFolders } from './standalone-folders.ts'

type StepContext = Parameters<NonNullable<DevelopmentStep['run']>>[0]

/** @throws BuildError */
export function nodeDevelopment(directory: string, settings: BuildSettings): Development {
  const project = readProject(directory)
  return {
    ...projectDevelopment(project, settings),
    roots: () =>
      standaloneFolders(project, startOf(project, settings, undefined))?.roots ?? ownRoots(project, settings),
  }
}

/** Of whatever a project makes. */
export function projectDevelopment(project: Project, { run }: Pick<BuildSettings, 'run'>): Omit<Development, 'roots'> {
  const { root, directory, building, built, lock } = project
  const shown = [lock?.manager.name ?? 'npm', 'run', 'build']
  const made = run === undefined ? built : built.filter(folder => folder !== directory)
  return {
    making: [
      ...[lock?.file ?? 'package-lock.json', ...(lock?.manager.settings ?? []), '.dockerignore'].map(name =>
        join(root, name),
      ),
      ...building.flatMap(each => [join(root, each, 'package.json'), join(root, each, '.dockerignore')]),
    ],
    steps: [
      ...made.map(folder => ({
        directory: folder,
        command: shown,
        run: async (context: StepContext) => {
          const { runBuildScript } = await import('./project-build.ts')
          await runBuildScript({ ...context, directory }, project, folder)
        },
      })),
      ...(run === undefined ? [] : [{ directory, command: run }]),
    ],
  }
}

function ownRoots({ root, path, directory, needed }: Project, { output }: Pick<BuildSettings, 'output'>): SourceRoot[] {
  return needed.map(each => {
    const to = join('/', applicationFolder, each)
    if (each === path && output !== undefined)
      return { from: join(directory, output), to: join(to, output), filter: everything }
    const folder = join(root, each)
    return { from: folder, to, filter: applicationFilter(folder, root) }
  })
}
