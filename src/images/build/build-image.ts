// `sampan build`: a Node.js or TypeScript service becomes an image of three layers (base, dependencies,
// application) without a daemon, a Dockerfile or a base image from elsewhere, and goes to a registry.
// Layers are kept by what they were made from, so an unchanged one costs nothing.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run, CommandError } from '../../host/command.ts'
import { baseEntries, baseKey, serviceUser } from './base-layer.ts'
import { applicationFolder, compiledApplication, compiledCodeVariables, compileDependencies } from './compiled-code.ts'
import { entriesBelow, writeLayer, type LayerEntry, type LayerFile } from './layer.ts'
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
}

interface KeptLayer extends Layer {
  readonly cached: boolean
}

export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  const project = readProject(options.directory)
  await mkdir(options.cacheDirectory, { recursive: true, mode: 0o700 })
  const [base, dependencies] = await Promise.all([
    keptLayer(options.cacheDirectory, `base-${baseKey(options.nodeBinary)}`, () => baseEntries(options.nodeBinary)),
    project.hasDependencies ? dependencyLayer(options, project) : undefined,
  ])
  options.progress('base layer', base.cached)
  if (dependencies !== undefined) options.progress('dependencies', dependencies.cached)
  if (project.hasBuildScript) {
    if (!existsSync(join(project.directory, 'node_modules')))
      await npm(project.directory, ['ci', '--loglevel=error'], options)
    await npm(project.directory, ['run', '--silent', 'build'], options)
    options.progress('npm run build', false)
  }
  const making = await mkdtemp(join(options.cacheDirectory, 'making-'))
  try {
    const application = await applicationLayer(making, project, options)
    options.progress('application', false)
    const layers = [base, ...(dependencies === undefined ? [] : [dependencies]), application]
    const image = await pushImage(options.registry, options, layers, {
      User: `${serviceUser.id}:${serviceUser.id}`,
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production', 'HOME=/home/node', ...compiledCodeVariables],
      Entrypoint: ['/usr/local/bin/node'],
      Cmd: project.command,
      WorkingDir: '/app',
      StopSignal: 'SIGTERM',
    })
    options.progress('pushed', false)
    return image
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}

/** Makes the layer unless one with that key is there. */
export async function keptLayer(
  cacheDirectory: string,
  key: string,
  entries: (making: string) => Promise<LayerEntry[]>,
): Promise<KeptLayer> {
  const file = join(cacheDirectory, `${key}.tar`)
  const facts = join(cacheDirectory, `${key}.json`)
  if (existsSync(facts) && existsSync(file))
    return { ...(JSON.parse(await readFile(facts, 'utf8')) as LayerFile), file, cached: true }
  const made = await mkdtemp(join(cacheDirectory, 'making-'))
  try {
    const layer = await writeLayer(join(made, 'layer.tar'), await entries(made))
    await rename(join(made, 'layer.tar'), file)
    await writeFile(`${facts}.new`, JSON.stringify(layer))
    await rename(`${facts}.new`, facts)
    return { ...layer, file, cached: false }
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}

async function dependencyLayer(options: BuildOptions, project: Project): Promise<KeptLayer> {
  const lockFile = join(project.directory, 'package-lock.json')
  if (!existsSync(lockFile))
    throw new BuildError(
      `expected a package-lock.json beside ${join(project.directory, 'package.json')}, because a build must be repeatable; make one with: npm install --package-lock-only`,
    )
  const [manifest, lock] = await Promise.all([readFile(join(project.directory, 'package.json')), readFile(lockFile)])
  const { dependencies, optionalDependencies, overrides } = JSON.parse(manifest.toString()) as Record<string, unknown>
  const key = createHash('sha256')
    .update(JSON.stringify([dependencies, optionalDependencies, overrides]))
    .update(lock)
    .update(`compiled 2 ${process.version} ${process.arch}`)
    .digest('hex')
    .slice(0, 16)
  return keptLayer(options.cacheDirectory, `dependencies-${key}`, async making => {
    // The tar is written after this returns, so the folder stays until the layer is kept.
    const installed = join(making, 'project')
    await mkdir(installed)
    for (const name of ['package.json', 'package-lock.json', '.npmrc'])
      if (existsSync(join(project.directory, name))) await cp(join(project.directory, name), join(installed, name))
    await npm(
      installed,
      ['ci', '--loglevel=error', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline'],
      options,
    )
    await compileDependencies(installed, Object.keys((dependencies ?? {}) as object), options.nodeBinary)
    return entriesBelow(join(installed, 'node_modules'), `${applicationFolder}/node_modules`, path => path !== '.cache')
  })
}

/** Never kept: looking whether a file changed costs as much as packing it. */
async function applicationLayer(making: string, project: Project, { nodeBinary }: BuildOptions): Promise<KeptLayer> {
  const file = join(making, 'layer.tar')
  const entries = await entriesBelow(project.directory, applicationFolder, applicationFilter(project.directory))
  const compiled = await compiledApplication(entries, project.command, join(making, 'application'), nodeBinary)
  const layer = await writeLayer(file, [...entries, ...compiled])
  return { ...layer, file, cached: false }
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
