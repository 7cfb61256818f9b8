// Sampan's own image: a container of it, privileged, is a cluster. Made from this machine like the images of
// services, in three layers: Node.js, the programs of Debian that a cluster needs, and Sampan.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { baseLayer, nodeProgram } from '../build/layers/base-layer.ts'
import { prepareCache, whileMaking } from '../build/layers/cache-folder.ts'
import { keptLayer } from '../build/layers/kept-layer.ts'
import { plainLayer, writeLayer, type Layer, type LayerEntry } from '../build/layers/layer.ts'
import { BuildError } from '../build/build-error.ts'
import type { BuiltImage } from '../build/push-image.ts'
import { firstProcess } from './first-process.ts'
import { machinePrograms, programEntries, programsFingerprint } from './programs.ts'

export interface OwnImageOptions {
  /** Where Sampan is, with its `bin` and `dist`. */
  readonly packageDirectory: string
  readonly cacheDirectory: string
  readonly nodeBinary: string
  readonly progress: (step: string, cached: boolean) => void
}

/** What a container of it starts with. The data is a volume: containers need a file system that is no overlay. */
export const ownImageConfig = {
  Env: ['PATH=/usr/local/bin:/usr/bin', 'HOME=/root'],
  Entrypoint: ['/usr/local/bin/sampan-container'],
  WorkingDir: '/root',
  Volumes: { '/var/lib/sampan': {} },
  ExposedPorts: { '6443/tcp': {} },
  StopSignal: 'SIGTERM',
}

/** @param use gets the layers as long as they are there */
export async function makeOwnImage(
  options: OwnImageOptions,
  use: (layers: readonly Layer[]) => Promise<BuiltImage>,
): Promise<BuiltImage> {
  const { cacheDirectory, nodeBinary, progress } = options
  const application = applicationEntries(options.packageDirectory)
  const machine = machinePrograms()
  const key = createHash('sha256')
    .update(`1\n${programsFingerprint(machine)}`)
    .digest('hex')
    .slice(0, 16)
  await prepareCache(cacheDirectory)
  // Nothing is missing in these that somebody would have to be told.
  const cache = { cacheDirectory, note: () => {} }
  const [base, programs] = await Promise.all([
    baseLayer(cache, [nodeProgram(nodeBinary)]),
    keptLayer(cache, `cluster-${key}`, async () => ({ entries: await programEntries(machine) })),
  ])
  progress('base layer', base.cached)
  progress('programs of this machine', programs.cached)
  return whileMaking(cacheDirectory, async making => {
    const file = join(making, 'layer.tar')
    const own = plainLayer(file, await writeLayer(file, application))
    progress('Sampan', false)
    return use([base, programs, own])
  })
}

const place = 'usr/local/lib/sampan'

/** What npm would install. @throws BuildError */
function applicationEntries(directory: string): LayerEntry[] {
  const compiled = existsSync(join(directory, 'dist')) ? readdirSync(join(directory, 'dist')) : []
  const files = [
    'package.json',
    'bin/sampan',
    ...compiled.filter(name => /\.(?:js|txt)$/.test(name)).map(name => `dist/${name}`),
  ]
  if (!files.includes('dist/sampan.js'))
    throw new BuildError(`expected ${join(directory, 'dist/sampan.js')}, found nothing; make it with: npm run build`)
  return [
    ...files.map((path): LayerEntry => ({
      path: `${place}/${path}`,
      kind: 'file',
      source: join(directory, path),
      mode: path.startsWith('bin/') ? 0o755 : 0o644,
    })),
    { path: 'usr/local/bin/sampan', kind: 'link', target: '../lib/sampan/bin/sampan' },
    { path: 'usr/local/bin/sampan-container', kind: 'file', source: Buffer.from(firstProcess), mode: 0o755 },
  ]
}
