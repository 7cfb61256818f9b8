// Makes an image and pushes it: what the builder gives, upon the base image, with labels and the bill of materials.
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RegistryClient } from '../client/registry-client.ts'
import type { BaseImage } from './base/base-image.ts'
import type { BuildOptions } from './build-options.ts'
import type { ContainerConfig } from './image-content.ts'
import { whileMaking } from './layers/cache-folder.ts'
import { pruneLayers } from './layers/prune-layers.ts'
import { pushImage, type PushedImage } from './push-image.ts'
import type { Revision } from './revision.ts'

/** @param lookedAt what git tells of the folder, once it has told it @throws BuildError */
export function makeImage(
  options: BuildOptions,
  client: RegistryClient,
  base: BaseImage | undefined,
  lookedAt: Promise<Revision | undefined>,
): Promise<PushedImage> {
  const { builder, finish } = options
  return whileMaking(options.cacheDirectory, async making => {
    if (builder.waitsByItself !== true) await lookedAt
    const built = await builder.build({ ...options, making, base, owner: options.owner ?? 0, lookedAt })
    const content = finish === undefined ? built : await finish.add(built, options)
    const config = { ...upon(base?.config, content.config), Labels: labelsOf(base, content.config, await lookedAt) }
    const bill = { components: content.components, tool: options.tool }
    const image = await pushImage(client, options, content.layers, config, bill)
    options.progress('pushed', false)
    return image
  })
}

/** Looks through what is kept, when nobody did for a day; what cannot be removed stays. */
export async function pruneDaily(cacheDirectory: string): Promise<void> {
  const mark = join(cacheDirectory, 'pruned')
  const last = await stat(mark).catch(() => undefined)
  const nowMs = Date.now()
  if (last !== undefined && last.mtimeMs > nowMs - 24 * 3_600_000) return
  await writeFile(mark, '')
  await pruneLayers(cacheDirectory, { nowMs }).catch(() => {})
}

/** What the base says holds where the service's own layers say nothing else; programs are looked for in both. */
function upon(base: ContainerConfig | undefined, own: ContainerConfig): ContainerConfig {
  if (base === undefined) return own
  const { Entrypoint: _entrypoint, Cmd: _command, ...inherited } = base
  const variables = new Map<string, string>()
  for (const text of [...(base.Env ?? []), ...(own.Env ?? [])]) {
    const [name = ''] = text.split('=', 1)
    const known = variables.get(name)
    variables.set(name, name === 'PATH' && known !== undefined ? joinedPath(text, known) : text)
  }
  return { ...inherited, ...own, Env: [...variables.values()] }
}

/** The own folders first, then those of the base that are none of them. */
function joinedPath(own: string, below: string): string {
  const folders = [own, below].flatMap(text => text.slice('PATH='.length).split(':'))
  return `PATH=${[...new Set(folders)].join(':')}`
}

function labelsOf(
  base: BaseImage | undefined,
  own: ContainerConfig,
  revision: Revision | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(base !== undefined && {
      'org.opencontainers.image.base.name': base.name,
      'org.opencontainers.image.base.digest': base.digest,
    }),
    ...own.Labels,
    ...(revision !== undefined && { 'org.opencontainers.image.revision': revision.revision }),
    ...(revision?.source !== undefined && { 'org.opencontainers.image.source': revision.source }),
  }
}
