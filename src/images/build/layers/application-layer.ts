import { join } from 'node:path'
import type { BuildContext } from '../builder.ts'
import { plainLayer, writeLayer, type Layer, type LayerEntry } from './layer.ts'

/** The service's own files. Never kept: looking whether a file changed costs as much as packing it. */
export async function applicationLayer(
  { making, progress, owner }: Pick<BuildContext, 'making' | 'progress' | 'owner'>,
  entries: readonly LayerEntry[],
): Promise<Layer> {
  const file = join(making, 'layer.tar')
  const layer = plainLayer(file, await writeLayer(file, entries, owner))
  progress('application', false)
  return layer
}
