// Any folder with a command that starts what is in it, and perhaps one that makes it: `build: { run: make, output:
// dist, start: ./server }`. The folder goes into the image with the shared libraries that its programs load.
import { existsSync, statSync } from 'node:fs'
import { basename, join, normalize } from 'node:path'
import { findProgram } from '../../../host/cluster-programs.ts'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import type { ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { librariesOf, nodeProgram, type Program } from '../layers/base-layer.ts'
import { applicationFolder, containerConfig } from '../layers/container-config.ts'
import type { FileFilter } from '../layers/docker-ignore.ts'
import { executableKind, librariesOfProgram } from '../layers/executables.ts'
import { foundation } from '../layers/foundation.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { serviceFiles } from '../layers/service-files.ts'
import { runBuild } from './run-build.ts'

/** @throws BuildError */
export async function buildByCommand(context: BuildContext): Promise<ImageContent> {
  const { settings } = context
  if (settings.start === undefined)
    throw new BuildError(
      'cannot tell how the service is started; say it in app.yml, such as build: { run: make, output: dist, start: ./server }',
    )
  await runBuild(context)
  const { directory, filter } = outputOf(context)
  const entries = await entriesBelow(directory, applicationFolder, filter)
  const started = await startOf(context, directory, entries, settings.start)
  const libraries = await librariesIn(entries, started.command[0])
  const below = await foundation(context, started.programs, libraries)
  return {
    layers: [...below.layers, await applicationLayer(context, entries)],
    config: containerConfig({ command: started.command }),
    components: below.components,
  }
}

/** The folder that goes into the image. What a build made is taken whole: a .dockerignore speaks of the sources. */
export function outputOf(
  { directory, settings }: Pick<BuildContext, 'directory' | 'settings'>,
  sources: FileFilter = serviceFiles(directory),
): { readonly directory: string; readonly filter: FileFilter } {
  if (settings.output === undefined || normalize(settings.output) === '.') return { directory, filter: sources }
  const output = join(directory, settings.output)
  if (!existsSync(output) || !statSync(output).isDirectory())
    throw new BuildError(
      `expected the folder ${output} (build.output), but there is none${settings.run === undefined ? '; make it first, or name what makes it with build.run' : ` after ${settings.run.join(' ')}`}`,
    )
  return { directory: output, filter: { includes: path => basename(path) !== '.git', mayHold: () => false } }
}

interface Started {
  readonly command: readonly string[]
  /** Of this machine. */
  readonly programs: readonly Program[]
}

/** @throws BuildError when a container could not start with it */
async function startOf(
  context: BuildContext,
  directory: string,
  entries: readonly LayerEntry[],
  start: readonly string[],
): Promise<Started> {
  const [name = '', ...args] = start
  const path = name.startsWith('/') ? undefined : `${applicationFolder}/${normalize(name)}`
  const own = entries.find(entry => entry.path === path)
  if (own?.kind === 'file' && typeof own.source === 'string') {
    const kind = await executableKind(own.source)
    if (kind.kind === 'script') await checkInterpreter(context, name, kind.interpreter)
    if (kind.kind === 'data')
      throw new BuildError(`build.start: ${name} is neither a program nor a script that begins with "#!"`)
    if (own.mode !== 0o755)
      throw new BuildError(
        `build.start: ${name} must not be executed; allow it with: chmod +x ${join(directory, name)}`,
      )
    return { command: [`/${own.path}`, ...args], programs: [] }
  }
  if (own?.kind === 'link') return { command: [`/${own.path}`, ...args], programs: [] }
  if (name.includes('/') && !name.startsWith('/'))
    throw new BuildError(`build.start: there is no ${name} in ${directory}, which goes into the image`)
  return { command: start, programs: await ofThisMachine(context, name) }
}

/** A program that is not among the service's files: of the base image, of a package, or of this machine. */
async function ofThisMachine({ base, settings, nodeBinary, note }: BuildContext, name: string): Promise<Program[]> {
  const places = name.startsWith('/')
    ? [name]
    : ['/usr/local/bin', '/usr/bin', '/bin'].map(folder => `${folder}/${name}`)
  if (base !== undefined) {
    if (places.some(place => base.has(place)) || settings.shell || settings.packages.length > 0) return []
    throw new BuildError(`build.start: neither the service nor its base image ${base.name} has ${name}`)
  }
  if (name === 'node') return [nodeProgram(nodeBinary)]
  if (settings.shell && /^(?:\/bin\/)?(?:sh|busybox)$/.test(name)) return []
  const found = name.startsWith('/') ? [name].find(existsSync) : findProgram(name)
  if (found === undefined) {
    if (settings.packages.length > 0) return []
    throw new BuildError(
      `build.start: ${name} is neither in the folder that goes into the image nor a program of this machine`,
    )
  }
  note(`${found} of this machine goes into the image with its libraries, and nothing else that belongs to it`)
  return [{ source: found, path: places[0]!.slice(1) }]
}

/** @throws BuildError when the image has no such interpreter */
async function checkInterpreter({ settings, base }: BuildContext, name: string, interpreter: string): Promise<void> {
  const program = basename(interpreter)
  const there =
    base === undefined ? settings.shell && program === 'sh' : base.has(interpreter) || base.has(`/usr/bin/${program}`)
  if (there || settings.packages.length > 0) return
  throw new BuildError(
    `build.start: ${name} is a script for ${interpreter}, which the image has not${program === 'sh' ? '; say "shell: true" below build in app.yml' : `; start ${program} itself, or name a base image that has it`}`,
  )
}

/**
 * What the started program loads, and what other programs and libraries among the files load, as far as it is here;
 * those for other processors are nobody's business.
 */
async function librariesIn(entries: readonly LayerEntry[], started: string | undefined): Promise<string[]> {
  const found = new Set<string>()
  const names = new Set(entries.map(({ path }) => basename(path)))
  for (const { path, ...entry } of entries) {
    if (entry.kind !== 'file' || typeof entry.source !== 'string') continue
    if (entry.mode !== 0o755 && !/\.so(?:\.\d+)*$/.test(path)) continue
    const name = path.slice(applicationFolder.length + 1)
    const libraries =
      `/${path}` === started
        ? await librariesOfProgram(entry.source, name)
        : await librariesOfProgram(entry.source, name).catch(() => librariesOf(entry.source as string))
    for (const library of libraries) if (!names.has(basename(library))) found.add(library)
  }
  return [...found].toSorted()
}
