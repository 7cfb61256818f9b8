// Node.js and TypeScript: three layers (base, dependencies, application) without a daemon, a Dockerfile or an image
// from elsewhere.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildContext, Builder } from '../builder.ts'
import { baseLayer, homeDirectory, nodePath, nodeProgram, serviceUser } from '../layers/base-layer.ts'
import { entriesBelow, plainLayer, writeLayer, type Layer } from '../layers/layer.ts'
import { applicationFolder, compiledApplication, compiledCodeVariables } from './compiled-code.ts'
import { dependencyLayer } from './dependency-layer.ts'
import { npm } from './npm.ts'
import { applicationFilter, readProject, type Project } from './project.ts'
import { placeOf } from './workspace.ts'

export const nodeBuilder: Builder = {
  name: 'node',
  title: 'Node.js',
  looksFor: 'package.json',
  finds: directory => (existsSync(join(directory, 'package.json')) ? 'package.json' : undefined),
  describe: directory => readProject(directory),
  inputs(directory) {
    const { root, needed } = placeOf(directory)
    const ofRoot = ['package.json', 'package-lock.json', '.npmrc', '.dockerignore']
    return root === directory
      ? [directory]
      : [...ofRoot.map(name => join(root, name)), ...needed.map(path => join(root, path))]
  },
  development(directory, settings) {
    const project = readProject(directory)
    const { root, needed, built } = project
    const folders = needed.map(path => join(root, path))
    return {
      roots: needed.map((path, index) => ({
        from: folders[index]!,
        to: join('/', applicationFolder, path),
        filter: applicationFilter(folders[index]!, root),
      })),
      making: [
        ...['package-lock.json', '.npmrc', '.dockerignore'].map(name => join(root, name)),
        ...folders.flatMap(folder => [join(folder, 'package.json'), join(folder, '.dockerignore')]),
      ],
      steps:
        settings.run === undefined
          ? built.map(folder => ({ directory: folder, command: ['npm', 'run', '--silent', 'build'] }))
          : [{ directory, command: settings.run }],
    }
  },
  async build(context) {
    const { progress, note } = context
    const project = readProject(context.directory)
    const [base, dependencies] = await Promise.all([
      baseLayer(context, [nodeProgram(context.nodeBinary)]),
      project.hasDependencies ? dependencyLayer(context, project) : undefined,
    ])
    progress('base layer', base.cached)
    if (dependencies !== undefined) progress('dependencies', dependencies.cached)
    for (const text of project.notes) note(text)
    if (project.built.length > 0 && !existsSync(join(project.root, 'node_modules')))
      await npm(context, project.root, ['ci', '--loglevel=error'])
    for (const directory of project.built) {
      await npm(context, directory, ['run', '--silent', 'build'])
      progress(directory === project.directory ? 'npm run build' : `npm run build in ${directory}`, false)
    }
    const application = await applicationLayer(context, project)
    progress('application', false)
    return {
      layers: [base, ...(dependencies === undefined ? [] : [dependencies]), application],
      config: {
        User: `${serviceUser.id}:${serviceUser.id}`,
        Env: variablesOf(project),
        Entrypoint: [`/${nodePath}`],
        Cmd: project.command,
        WorkingDir: join('/', applicationFolder, project.path),
        StopSignal: 'SIGTERM',
      },
      components: [],
    }
  },
}

/** Never kept: looking whether a file changed costs as much as packing it. */
async function applicationLayer({ making, nodeBinary, owner }: BuildContext, project: Project): Promise<Layer> {
  const file = join(making, 'layer.tar')
  const parts = await Promise.all(
    project.needed.map(path => {
      const directory = join(project.root, path)
      return entriesBelow(directory, join(applicationFolder, path), applicationFilter(directory, project.root))
    }),
  )
  const entries = parts.flat()
  const compiled = await compiledApplication(entries, project, join(making, 'application'), nodeBinary)
  return plainLayer(file, await writeLayer(file, [...entries, ...compiled], owner))
}

/** Those that npm sets and services read are among them. */
function variablesOf({ packageName, version, variables }: Project): string[] {
  const all: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    NODE_ENV: 'production',
    HOME: homeDirectory,
    npm_package_name: packageName,
    ...(version !== undefined && { npm_package_version: version }),
    ...Object.fromEntries(compiledCodeVariables.map(text => text.split('=', 2) as [string, string])),
    ...variables,
  }
  return Object.entries(all).map(([key, value]) => `${key}=${value}`)
}
