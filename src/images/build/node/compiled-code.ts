// Compiles a service and its dependencies once, when the image is built, instead of at every start of
// every instance: Node.js keeps compiled code, and TypeScript without its types, in a folder that travels
// in the image. A portable cache is valid wherever it and the modules keep their places relative to each
// other. Nothing of the service itself runs here. Source: Node.js documentation, module compile cache.
import { copyFile, mkdir, readdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from '../../../host/command.ts'
import { applicationFolder } from '../layers/container-config.ts'
import { serviceUser } from '../layers/service-user.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { entryOf } from './start-command.ts'

const cacheFolder = 'node_modules/.compile-cache'
const timeoutMs = 30_000

/** Variables that make Node.js use the folder inside the image. */
export const compiledCodeVariables: readonly string[] = [
  `NODE_COMPILE_CACHE=/${applicationFolder}/${cacheFolder}`,
  'NODE_COMPILE_CACHE_PORTABLE=1',
]

/**
 * Loads each dependency once, as a service in a folder of the directory would. One that cannot be loaded like this
 * just starts uncompiled.
 */
export async function compileDependencies(
  directory: string,
  path: string,
  names: readonly string[],
  nodeBinary: string,
): Promise<void> {
  const service = JSON.stringify(join(here, path, 'service.js'))
  await compile(
    directory,
    `
    const place = pathToFileURL(${service}).href
    hook((name, context, next) => next(name, context.parentURL?.startsWith('file:///proc/') ? context : { ...context, parentURL: place }))
    await Promise.allSettled(${JSON.stringify(names)}.map(name => import(name)))
    process.exit(0)`,
    nodeBinary,
    memory.packages,
  )
}

/**
 * Compiles the service's own modules: they are loaded with their imports of packages cut off, and the
 * first module to run ends the process, so no line of the service is executed.
 * @param command arguments of Node.js, the entry among them
 * @param path of the service below the application's folder
 * @returns what to add to the application layer
 */
export async function compiledApplication(
  { making, nodeBinary }: { readonly making: string; readonly nodeBinary: string },
  entries: readonly LayerEntry[],
  { command, path }: { readonly command: readonly string[]; readonly path: string },
): Promise<LayerEntry[]> {
  const staging = join(making, 'application')
  const prefix = `${applicationFolder}/`
  const started = entryOf(command)
  // What is started may be a program of a package.
  if (started === undefined || !entries.some(entry => entry.path === join(applicationFolder, path, started))) return []
  for (const entry of entries) {
    if (entry.kind !== 'file' || typeof entry.source !== 'string' || !/\.(?:[cm]?[jt]s|json)$/.test(entry.path))
      continue
    const target = join(staging, entry.path.slice(prefix.length))
    await mkdir(dirname(target), { recursive: true })
    await copyFile(entry.source, target)
  }
  const main = JSON.stringify(join(here, path, started))
  // The import ends in an error where a module cannot be linked; what was compiled until then counts.
  await compile(
    staging,
    `
    const known = /^(\\.|\\/|file:|node:|data:)/
    hook((name, context, next) => known.test(name) ? next(name, context) : { url: 'data:text/javascript,', shortCircuit: true })
    const graph = "import 'data:text/javascript,process.exit(0)'; import " + JSON.stringify(pathToFileURL(${main}).href)
    await import('data:text/javascript,' + encodeURIComponent(graph)).catch(() => {})`,
    nodeBinary,
    memory.service,
  )
  return entriesBelow(join(staging, cacheFolder), prefix + cacheFolder).catch(() => [])
}

/** The folder that a process is in, whatever its path: compiled code has the paths of modules in it. */
const here = '/proc/self/cwd'
/**
 * The same modules become the same bytes. They have hashes of words in them, whose seed is random else, and what the
 * collection of garbage counts, so that none takes place. Code made with these is good for a Node.js without them.
 */
const sameEachTime = (megabytes: number): string[] => [
  '--random-seed=1',
  `--min-semi-space-size=${megabytes}`,
  `--max-semi-space-size=${megabytes}`,
]
/** How much is made before garbage is collected: of packages there may be thousands, and a larger space takes longer. */
const memory = { packages: 256, service: 64 } as const

/** @param script gets `hook`, which resolves names of modules, and has to be called before the first import */
async function compile(directory: string, script: string, nodeBinary: string, megabytes: number): Promise<void> {
  const prelude = `
    const { registerHooks, enableCompileCache } = await import('node:module')
    const { realpathSync } = await import('node:fs')
    const { fileURLToPath, pathToFileURL } = await import('node:url')
    const real = process.cwd() + '/'
    const hook = resolve => registerHooks({
      resolve: (name, context, next) => {
        const found = resolve(name, context, next)
        if (!found.url.startsWith('file:')) return found
        const path = realpathSync(fileURLToPath(found.url))
        return path.startsWith(real) ? { ...found, url: pathToFileURL('${here}/' + path.slice(real.length)).href } : found
      },
    })
    enableCompileCache({ directory: '${here}/${cacheFolder}', portable: true })`
  // Links are followed by the hook, else Node.js would do it once more and get to the folder's own path.
  await run(
    nodeBinary,
    [...sameEachTime(megabytes), '--preserve-symlinks', '--input-type=module', '--eval', prelude + script],
    {
      directory,
      timeoutMs,
      environment: { PATH: process.env['PATH'], HOME: directory, NODE_ENV: 'production' },
    },
  ).catch(() => {}) // Without a cache, or with half of one, the image only starts slower.
  await handOver(join(directory, cacheFolder))
}

/** Node.js keeps a folder for each user; this one is for the user that services run as. */
async function handOver(cache: string): Promise<void> {
  const mine = `-${process.getuid?.() ?? 0}`
  for (const name of await readdir(cache).catch(() => [])) {
    if (name.endsWith(mine))
      await rename(join(cache, name), join(cache, `${name.slice(0, -mine.length)}-${serviceUser.id}`))
  }
}
