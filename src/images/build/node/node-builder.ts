// Node.js and TypeScript: three layers (base, dependencies, application) without a daemon, a Dockerfile or an image
// from elsewhere.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { satisfies, validRange } from 'semver'
import type { BuildContext, Builder } from '../builder.ts'
import { baseLayer, homeDirectory, nodeProgram, serviceUser } from '../layers/base-layer.ts'
import type { KeptLayer } from '../layers/kept-layer.ts'
import { plainLayer, writeLayer, type Layer, type LayerEntry } from '../layers/layer.ts'
import { applicationFiles } from './application-files.ts'
import { applicationFolder, compiledApplication, compiledCodeVariables } from './compiled-code.ts'
import { dependencyLayer, type Dependencies } from './dependency-layer.ts'
import { nextStandalone, type Standalone } from './next-standalone.ts'
import { nodeRuntime, type NodeRuntime } from './node-runtime.ts'
import { notRun } from './patch-packages.ts'
import { buildProject } from './project-build.ts'
import { projectName, readProject, startOf, type Project } from './project.ts'
import type { StartCommand } from './start-command.ts'

export const nodeBuilder: Builder = {
  name: 'node',
  title: 'Node.js',
  finds: directory => (existsSync(join(directory, 'package.json')) ? 'package.json' : undefined),
  describe: directory => projectName(directory),
  async build(context) {
    const { progress, note, settings, nodeBinary } = context
    const project = readProject(context.directory)
    // What cannot be started is told before anything is made.
    const supposed = startOf(project, settings, undefined)
    const runtime = nodeRuntime(context)
    const [base, { standalone, dependencies }] = await Promise.all([
      baseLayer(context, [nodeProgram(nodeBinary)]),
      madeParts(context, project, runtime, supposed),
    ])
    progress('base layer', base.cached)
    if (dependencies !== undefined) progress('dependencies', dependencies.cached)
    const start = standalone?.start ?? startOf(project, settings, dependencies?.facts.programs ?? {})
    for (const text of [...notesOf(project, runtime), ...start.notes]) note(text)
    const path = standalone?.path ?? project.path
    const files = await (standalone?.entries() ?? applicationFiles(project, settings, start))
    const application = await applicationLayer(context, runtime, files, { command: start.command, path })
    progress('application', false)
    return {
      layers: [base, ...(dependencies === undefined ? [] : [dependencies]), application],
      config: {
        User: `${serviceUser.id}:${serviceUser.id}`,
        Env: variablesOf(project, start, path, runtime),
        Entrypoint: [
          start.program === undefined ? runtime.program : resolve('/', applicationFolder, path, start.program),
        ],
        Cmd: start.command,
        WorkingDir: join('/', applicationFolder, path),
        StopSignal: 'SIGTERM',
      },
      components: dependencies?.facts.components ?? [],
    }
  },
}

interface MadeParts {
  readonly standalone: Standalone | undefined
  /** undefined: there are none, or what was made brings its own. */
  readonly dependencies: KeptLayer<Dependencies> | undefined
}

async function madeParts(
  context: BuildContext,
  project: Project,
  runtime: NodeRuntime,
  supposed: StartCommand,
): Promise<MadeParts> {
  await buildProject(context, project)
  const standalone = nextStandalone(project, supposed)
  const isNeeded = standalone === undefined && project.hasDependencies
  return { standalone, dependencies: isNeeded ? await dependencyLayer(context, project, runtime) : undefined }
}

/** Never kept: looking whether a file changed costs as much as packing it. */
async function applicationLayer(
  { making, nodeBinary, owner }: BuildContext,
  { isOwn }: NodeRuntime,
  entries: readonly LayerEntry[],
  start: { readonly command: readonly string[]; readonly path: string },
): Promise<Layer> {
  const file = join(making, 'layer.tar')
  const compiled = isOwn ? await compiledApplication(entries, start, join(making, 'application'), nodeBinary) : []
  return plainLayer(file, await writeLayer(file, [...entries, ...compiled], owner))
}

function notesOf(project: Project, { version }: NodeRuntime): string[] {
  const { lock, json, directory } = project
  const wanted = json.engines?.node
  const fits =
    wanted === undefined || version === undefined || validRange(wanted) === null || satisfies(version, wanted)
  return [
    ...(lock?.note === undefined ? [] : [lock.note]),
    ...(fits
      ? []
      : [
          `the package.json of ${directory} asks for Node.js ${wanted} ("engines"), and the image has ${version}; an image with another one is built upon a base image: write into app.yml "build: { base: node:VERSION-slim }"`,
        ]),
    ...notRun(project),
  ]
}

/** Those that npm sets and services read are among them. */
function variablesOf(
  { packageName, version }: Project,
  { variables }: StartCommand,
  path: string,
  { isOwn }: NodeRuntime,
): string[] {
  const programs = [...new Set([path, ''])].map(folder => join('/', applicationFolder, folder, 'node_modules/.bin'))
  const all: Record<string, string> = {
    PATH: [...programs, '/usr/local/bin', '/usr/bin', '/bin'].join(':'),
    NODE_ENV: 'production',
    HOME: homeDirectory,
    npm_package_name: packageName,
    npm_package_version: version,
    ...(isOwn && Object.fromEntries(compiledCodeVariables.map(text => text.split('=', 2) as [string, string]))),
    ...variables,
  }
  return Object.entries(all).map(([key, value]) => `${key}=${value}`)
}
