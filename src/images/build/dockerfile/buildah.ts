// Builds a Dockerfile with buildah, in a store of its own beside the kept layers, so that images of the machine's
// owner are not touched. Commands run in a chroot with the network as it is: no bridge is made, no address is taken.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CommandError, run } from '../../../host/command.ts'
import { answers } from './answers.ts'
import type { BuiltParts, DockerfileBuild, DockerfileEngine } from './engine.ts'
import { isLoopback } from './registry-address.ts'

const timeoutMs = 1_800_000

export const buildahEngine: DockerfileEngine = {
  name: 'buildah',
  isThere: async () => (await answers('buildah', '--version')) !== undefined,
  build,
}

async function build(what: DockerfileBuild): Promise<BuiltParts> {
  const { directory, dockerfile, target, args, secrets, making, cacheDirectory } = what
  const store = join(cacheDirectory, 'dockerfile')
  await mkdir(store, { recursive: true })
  const log = join(making, 'log')
  const id = join(making, 'id')
  const environment = { ...process.env, CONTAINERS_REGISTRIES_CONF: await registriesFile(what) }
  const buildah = async (command: string, ...rest: readonly string[]): Promise<void> => {
    const places = ['--root', store, '--runroot', join(cacheDirectory, 'dockerfile-run')]
    await run('buildah', [...places, command, ...rest], { directory, timeoutMs, environment }).catch(async error => {
      if (!(error instanceof CommandError)) throw error
      // What commands wrote is in the order in which they wrote it.
      const said = await readFile(log, 'utf8').catch(() => '')
      throw new CommandError(error.message, error.exitCode, `${said}\n${error.stderr}`)
    })
  }
  await buildah(
    'build',
    '--layers',
    '--timestamp=0',
    '--isolation=chroot',
    '--format=oci',
    `--logfile=${log}`,
    `--iidfile=${id}`,
    `--file=${dockerfile}`,
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...Object.entries(secrets).map(([name, secret]) =>
      'variable' in secret ? `--secret=id=${name},env=${secret.variable}` : `--secret=id=${name},src=${secret.file}`,
    ),
    directory,
  )
  const out = join(making, 'image')
  await buildah('push', '--quiet', '--format=oci', readFileSync(id, 'utf8').trim(), `dir:${out}`)
  return partsOf(out)
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
