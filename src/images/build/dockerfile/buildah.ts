// Builds a Dockerfile with buildah, in a store of its own beside the kept layers, so that images of the machine's
// owner are not touched. Commands run in a chroot with the network as it is: no bridge is made, no address is taken.
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { CommandError, run } from '../../../host/command.ts'
import { answers } from './answers.ts'
import { markUsed } from '../layers/prune-layers.ts'
import type { BuiltParts, DockerfileBuild, DockerfileEngine } from './engine.ts'
import { isLoopback } from './registry-address.ts'
import { missingForRootless } from './rootless.ts'
import { secretOptions } from './secret-options.ts'

const timeoutMs = 1_800_000

export const buildahEngine: DockerfileEngine = {
  name: 'buildah',
  isThere: async () => (await answers('buildah', '--version')) !== undefined,
  explain: said => (process.getuid?.() === 0 ? undefined : missingForRootless(said, userInfo().username)),
  build,
}

async function build(what: DockerfileBuild): Promise<BuiltParts> {
  const { directory, dockerfile, target, args, secrets, making } = what
  const id = join(making, 'id')
  const environment = { ...process.env, CONTAINERS_REGISTRIES_CONF: await registriesFile(what) }
  const store = await storeOptions(what)
  const buildah = async (command: string, ...rest: readonly string[]): Promise<void> => {
    const log = join(making, 'log')
    // What commands write to either stream is told in the order in which they wrote it.
    const words = ['-c', 'exec "$@" > "$0" 2>&1', log, 'buildah', ...store, command, ...rest]
    await run('sh', words, { directory, timeoutMs, environment }).catch(async error => {
      if (!(error instanceof CommandError)) throw error
      const said = await readFile(log, 'utf8')
      throw new CommandError(error.message, error.exitCode, said, said, error.signal)
    })
  }
  await buildah(
    'build',
    '--layers',
    '--force-rm',
    '--timestamp=0',
    '--isolation=chroot',
    '--format=oci',
    `--iidfile=${id}`,
    `--file=${dockerfile}`,
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...secretOptions(secrets),
    directory,
  )
  const out = join(making, 'image')
  const image = (await readFile(id, 'utf8')).trim()
  await buildah('push', '--quiet', '--disable-compression', '--format=oci', image, `dir:${out}`)
  return partsOf(out)
}

/** Layers over each other where the kernel can, copies of each other where it cannot, as within a container. */
async function storeOptions({ cacheDirectory }: DockerfileBuild): Promise<string[]> {
  const store = join(cacheDirectory, 'dockerfile')
  await mkdir(store, { recursive: true })
  await markUsed(store)
  const places = ['--root', store, '--runroot', join(cacheDirectory, 'dockerfile-run')]
  // Nothing stays mounted, so that the folder can be removed like any other.
  const overlay = [...places, '--storage-driver=overlay', '--storage-opt=overlay.skip_mount_home=true']
  return (await answers('buildah', ...overlay, 'info')) === undefined ? [...places, '--storage-driver=vfs'] : overlay
}

/** The layout of `dir:`, in which layers stay as they are; that of OCI would compress them. */
async function partsOf(directory: string): Promise<BuiltParts> {
  const { config, layers } = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8')) as {
    config: { digest: string }
    layers: { digest: string; size: number; mediaType: string }[]
  }
  const file = (digest: string): string => join(directory, digest.slice('sha256:'.length))
  return {
    layers: layers.map(layer => ({ ...layer, file: file(layer.digest) })),
    config: JSON.parse(await readFile(file(config.digest), 'utf8')) as BuiltParts['config'],
  }
}

/** The user's own configuration of registries, and where `sampan.local` is. */
async function registriesFile({ registry, making }: DockerfileBuild): Promise<string> {
  const places = [
    process.env['CONTAINERS_REGISTRIES_CONF'],
    join(homedir(), '.config/containers/registries.conf'),
    '/etc/containers/registries.conf',
  ]
  const own = places.find(place => place !== undefined && existsSync(place))
  const file = join(making, 'registries.conf')
  await writeFile(
    file,
    [
      own === undefined ? 'unqualified-search-registries = ["docker.io"]' : await readFile(own, 'utf8'),
      '[[registry]]',
      'prefix = "sampan.local"',
      `location = ${JSON.stringify(registry)}`,
      `insecure = ${isLoopback(registry)}`,
      '',
    ].join('\n'),
  )
  return file
}
