// Node.js and TypeScript: three layers (base, dependencies, application) without a daemon, a Dockerfile or an image
// from elsewhere.
import { join, resolve } from 'node:path'
import { satisfies, validRange } from 'semver'
import { applicationFolder } from '../layers/container-config.ts'
import type { BuildContext } from '../builder.ts'
import type { ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { homeDirectory, serviceUser } from '../layers/service-user.ts'
import type { LayerEntry } from '../layers/layer.ts'
import { applicationFiles } from './application-files.ts'
import { compiledApplication, compiledCodeVariables } from './compiled-code.ts'
import { dependencyLayer } from './dependency-layer.ts'
import { nextStandalone } from './next-standalone.ts'
import { nodeFoundation, nodeRuntime, type NodeRuntime } from './node-runtime.ts'
import { notRun } from './patch-packages.ts'
import { buildProject } from './project-build.ts'
import { readProject, startOf, type Project } from './project.ts'
import type { StartCommand } from './start-command.ts'

const homeEntry: LayerEntry = { path: homeDirectory.slice(1), kind: 'directory', mode: 0o777 }

/** @throws BuildError */
export async function buildNode(context: BuildContext): Promise<ImageContent> {
  const { base, progress, note, settings } = context
  const project = readProject(context.directory)
  const runtime = nodeRuntime(context)
  // What cannot be started is told before anything is made.
  const supposed = startOf(project, settings, undefined)
  const [below] = await Promise.all([nodeFoundation(context, runtime), buildProject(context, project)])
  const standalone = nextStandalone(context, project, runtime, supposed)
  const dependencies =
    standalone === undefined && project.hasDependencies
      ? await dependencyLayer(context, project, runtime, below)
      : undefined
  if (dependencies !== undefined) progress('dependencies', dependencies.cached)
  const start = standalone?.start ?? startOf(project, settings, dependencies?.facts ?? {})
  const content = await standalone?.content(below)
  for (const text of [...notesOf(project, runtime), ...start.notes, ...(content?.notes ?? [])]) note(text)
  const files = content?.entries ?? (await applicationFiles(project, settings, start))
  const path = standalone?.path ?? project.path
  // What is changed in the container is compiled there.
  const compiled =
    runtime.isOwn && context.owner === 0
      ? await compiledApplication(context, files, { command: start.command, path })
      : []
  const home = base === undefined || base.has(homeDirectory) ? [] : [homeEntry]
  const application = await applicationLayer(context, [...files, ...compiled, ...home])
  return {
    layers: [...below.layers, ...(dependencies === undefined ? [] : [dependencies]), application],
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
    components: [...below.components, ...((dependencies ?? content)?.components ?? [])],
  }
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
    ...(version !== undefined && { npm_package_version: version }),
    ...(isOwn && Object.fromEntries(compiledCodeVariables.map(text => text.split('=', 2) as [string, string]))),
    ...variables,
  }
  return Object.entries(all).map(([key, value]) => `${key}=${value}`)
}
