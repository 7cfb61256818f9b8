// `sampan build`: a Node.js or TypeScript service becomes an image of three layers (base, dependencies,
// application) without a daemon, a Dockerfile or a base image from elsewhere, and goes to a registry.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run, CommandError } from '../../host/command.ts'
import { baseLibraries, serviceUser } from './base-layer.ts'
import { applicationFolder, compiledApplication, compiledCodeVariables, compileDependencies } from './compiled-code.ts'
import type { FileFilter } from './docker-ignore.ts'
import { nativeLibraries } from './native-libraries.ts'
import { baseLayer, keptLayer, prepareCache, whileMaking, type KeptLayer } from './kept-layer.ts'
import { entriesBelow, writeLayer } from './layer.ts'
import { applicationFilter, BuildError, readProject, type Project } from './project.ts'
import { pushImage, type BuiltImage, type Layer } from './push-image.ts'

export interface BuildOptions {
  readonly directory: string
  /** Name in the registry, without registry and tag. */
  readonly repository: string
  readonly tag: string
  /** `127.0.0.1:5000` */
  readonly registry: string
  /** Where layers are kept between builds. */
  readonly cacheDirectory: string
  /** The Node.js that goes into the image. */
  readonly nodeBinary: string
  /** Called as each part is done. */
  readonly progress: (step: string, cached: boolean) => void
  /** Told what the image will not do. */
  readonly note: (text: string) => void
}

export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const project = readProject(options.directory)
  await prepareCache(options.cacheDirectory)
  const [base, dependencies] = await Promise.all([
    baseLayer(options),
    project.hasDependencies ? dependencyLayer(options, project) : undefined,
  ])
  options.progress('base layer', base.cached)
  if (dependencies !== undefined) options.progress('dependencies', dependencies.cached)
  for (const note of project.notes) options.note(note)
  if (project.built.length > 0 && !existsSync(join(project.root, 'node_modules')))
    await npm(project.root, ['ci', '--loglevel=error'], options)
  for (const directory of project.built) {
    await npm(directory, ['run', '--silent', 'build'], options)
    options.progress(directory === project.directory ? 'npm run build' : `npm run build in ${directory}`, false)
  }
  return whileMaking(options.cacheDirectory, async making => {
    const application = await applicationLayer(making, project, options)
    options.progress('application', false)
    const layers = [base, ...(dependencies === undefined ? [] : [dependencies]), application]
    const image = await pushImage(options.registry, options, layers, {
      User: `${serviceUser.id}:${serviceUser.id}`,
      Env: variablesOf(project),
      Entrypoint: ['/usr/local/bin/node'],
      Cmd: project.command,
      WorkingDir: join('/', applicationFolder, project.path),
      StopSignal: 'SIGTERM',
    })
    options.progress('pushed', false)
    return image
  })
}

async function dependencyLayer(options: BuildOptions, project: Project): Promise<KeptLayer> {
  const { root, needed, members } = project
  const lockFile = join(root, 'package-lock.json')
  if (!existsSync(lockFile))
    throw new BuildError(
      `expected a package-lock.json beside ${join(root, 'package.json')}, because a build must be repeatable; make one with: npm install --package-lock-only`,
    )
  const manifests = await Promise.all(
    [...new Set(['', ...needed])].map(
      async path => JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')) as Record<string, unknown>,
    ),
  )
  const key = createHash('sha256')
    .update(
      JSON.stringify(manifests.map(json => [json['dependencies'], json['optionalDependencies'], json['overrides']])),
    )
    .update(JSON.stringify(needed))
    .update(await readFile(lockFile))
    .update(`compiled 3 ${process.version} ${process.arch}`)
    .digest('hex')
    .slice(0, 16)
  return keptLayer(options, `dependencies-${key}`, async making => {
    // The tar is written after this returns, so the folder stays until the layer is kept.
    const installed = join(making, 'project')
    await mkdir(installed)
    for (const name of ['package-lock.json', '.npmrc'])
      if (existsSync(join(root, name))) await cp(join(root, name), join(installed, name))
    if (project.path === '') await cp(join(root, 'package.json'), join(installed, 'package.json'))
    else for (const path of ['', ...members]) await stageMember(root, path, installed)
    await npm(
      installed,
      [
        'ci',
        '--loglevel=error',
        '--omit=dev',
        '--no-audit',
        '--no-fund',
        '--prefer-offline',
        ...(project.path === '' ? [] : needed.map(path => `--workspace=${path}`)),
      ],
      options,
    )
    await compileDependencies(
      installed,
      Object.keys((manifests.at(-1)?.['dependencies'] ?? {}) as object),
      options.nodeBinary,
    )
    const folders = [...new Set(['', ...needed])].map(path => join(path, 'node_modules'))
    const entries = await Promise.all(
      folders.map(folder =>
        entriesBelow(join(installed, folder), join(applicationFolder, folder), withoutCache).catch(
          (error: NodeJS.ErrnoException) => {
            if (error.code !== 'ENOENT') throw error
            return []
          },
        ),
      ),
    )
    const native = await nativeLibraries(
      folders.map(folder => join(installed, folder)),
      await baseLibraries(options.nodeBinary),
    )
    return { entries: [...entries.flat(), ...native.entries], notes: native.notes }
  })
}

const withoutCache: FileFilter = { includes: path => path !== '.cache', mayHold: () => false }

/** A member of the workspace as far as npm has to know it; its scripts would miss its files. */
async function stageMember(root: string, path: string, installed: string): Promise<void> {
  const file = join(root, path, 'package.json')
  if (!existsSync(file)) return
  const { scripts: _scripts, ...json } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  await mkdir(join(installed, path), { recursive: true })
  await writeFile(join(installed, path, 'package.json'), JSON.stringify(json))
}

/** Never kept: looking whether a file changed costs as much as packing it. */
async function applicationLayer(making: string, project: Project, { nodeBinary }: BuildOptions): Promise<Layer> {
  const file = join(making, 'layer.tar')
  const parts = await Promise.all(
    project.needed.map(path => {
      const directory = join(project.root, path)
      return entriesBelow(directory, join(applicationFolder, path), applicationFilter(directory, project.root))
    }),
  )
  const entries = parts.flat()
  const compiled = await compiledApplication(entries, project, join(making, 'application'), nodeBinary)
  return { ...(await writeLayer(file, [...entries, ...compiled])), file }
}

async function npm(
  directory: string,
  args: readonly string[],
  { nodeBinary, directory: project }: BuildOptions,
): Promise<void> {
  try {
    await run('npm', args, {
      directory,
      timeoutMs: 600_000,
      environment: { ...process.env, PATH: `${dirname(nodeBinary)}:${process.env['PATH'] ?? ''}` },
    })
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    // Compilers write their findings to either stream; the message has what stderr lacks.
    const lines = (error.stderr.trim() || error.message)
      .split('\n')
      .filter(line => line.trim() !== '' && line.trim() !== 'npm error')
    // npm begins with what is wrong and goes on about its usage; a program ends with what is wrong.
    const telling = args[0] === 'ci' ? lines.slice(0, 8) : lines.slice(-15)
    throw new BuildError(`npm ${args.join(' ')} failed in ${project}:\n${telling.join('\n')}`)
  }
}

/** Those that npm sets and services read are among them. */
function variablesOf({ packageName, version, variables }: Project): string[] {
  const all: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    NODE_ENV: 'production',
    HOME: '/home/node',
    npm_package_name: packageName,
    npm_package_version: version,
    ...Object.fromEntries(compiledCodeVariables.map(text => text.split('=', 2) as [string, string])),
    ...variables,
  }
  return Object.entries(all).map(([key, value]) => `${key}=${value}`)
}
