// Builds a Dockerfile with BuildKit: by `buildctl`, or by `docker buildx`, with a daemon that somebody else started.
// The result is an archive in the layout of OCI. Times of files are set back where BuildKit can (since 0.13).
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import { run } from '../../../host/command.ts'
import { answers } from './answers.ts'
import type { BuiltParts, DockerfileBuild, DockerfileEngine } from './engine.ts'
import { secretOptions } from './secret-options.ts'

const timeoutMs = 1_800_000
/** Of all files and of the image. */
const environment = { SOURCE_DATE_EPOCH: '0' }

export const buildKitEngine: DockerfileEngine = engineOf({
  name: 'BuildKit',
  program: 'buildctl',
  isThere: async () => (await answers('buildctl', 'debug', 'workers')) !== undefined,
  words: ({ directory, dockerfile }) => [
    'build',
    '--progress=plain',
    '--frontend=dockerfile.v0',
    `--local=context=${directory}`,
    `--local=dockerfile=${dirname(dockerfile)}`,
    `--opt=filename=${basename(dockerfile)}`,
  ],
  target: name => `--opt=target=${name}`,
  argument: (name, value) => `--opt=build-arg:${name}=${value}`,
  // docker passes on what the environment says of it; this one has to be told.
  more: environment,
})

export const dockerEngine: DockerfileEngine = engineOf({
  name: 'docker buildx',
  program: 'docker',
  // Docker's own builder gives images to Docker alone, unless that keeps them as containerd does.
  isThere: async () => {
    const builder = await answers('docker', 'buildx', 'inspect', '--bootstrap')
    if (builder === undefined) return false
    if (!/^Driver:\s*docker$/m.test(builder)) return true
    return (await answers('docker', 'info', '--format', '{{.DriverStatus}}'))?.includes('io.containerd') === true
  },
  words: ({ dockerfile }) => ['buildx', 'build', '--progress=plain', '--provenance=false', `--file=${dockerfile}`],
  target: name => `--target=${name}`,
  argument: (name, value) => `--build-arg=${name}=${value}`,
  last: ({ directory }) => [directory],
})

/** What tells one client of BuildKit from the other. */
interface Client extends Pick<DockerfileEngine, 'name' | 'isThere'> {
  readonly program: string
  readonly words: (what: DockerfileBuild) => readonly string[]
  readonly target: (name: string) => string
  readonly argument: (name: string, value: string) => string
  /** Build arguments beside those that somebody asked for. */
  readonly more?: Readonly<Record<string, string>>
  /** Behind all others. */
  readonly last?: (what: DockerfileBuild) => readonly string[]
}

function engineOf({ name, program, isThere, ...words }: Client): DockerfileEngine {
  return {
    name,
    isThere,
    async build(what) {
      const { directory, target, args, secrets, making } = what
      const archive = join(making, 'image.tar')
      const all = [
        ...words.words(what),
        ...(target === undefined ? [] : [words.target(target)]),
        ...Object.entries({ ...args, ...words.more }).map(([key, value]) => words.argument(key, value)),
        ...secretOptions(secrets),
        `--output=${outputTo(archive)}`,
        ...(words.last?.(what) ?? []),
      ]
      await run(program, all, { directory, timeoutMs, environment: { ...process.env, ...environment } })
      return partsOf(archive, join(making, 'image'))
    },
  }
}

const outputTo = (archive: string): string =>
  `type=oci,dest=${archive},compression=uncompressed,force-compression=true,rewrite-timestamp=true`

interface Manifest {
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[]
}

async function partsOf(archive: string, directory: string): Promise<BuiltParts> {
  await unpack(archive, directory)
  const file = (digest: string): string => join(directory, digest.slice('sha256:'.length))
  const read = async <T>(path: string): Promise<T> => JSON.parse(await readFile(path, 'utf8')) as T
  const index = await read<{ manifests: { digest: string }[] }>(join(directory, 'index.json'))
  const { config, layers } = await read<Manifest>(file(index.manifests[0]!.digest))
  return {
    layers: layers.map(layer => ({ ...layer, file: file(layer.digest) })),
    config: await read<BuiltParts['config']>(file(config.digest)),
  }
}

/** The index and all blobs, each by its name alone. */
async function unpack(archive: string, directory: string): Promise<void> {
  await mkdir(directory)
  const tar = extract()
  const reading = pipeline(createReadStream(archive), tar)
  for await (const entry of tar) {
    const { name, type } = entry.header
    if (type === 'file') await pipeline(entry, createWriteStream(join(directory, basename(name))))
    else entry.resume()
  }
  await reading
}
