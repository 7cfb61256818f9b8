// Which images a node says it has.
import type { Node } from '../api/generated/models.ts'

const noImages: ReadonlyMap<string, number> = new Map()

/** Bytes by name; an image has several. */
export function imageSizes({ status }: Node): ReadonlyMap<string, number> {
  if (!status?.images?.length) return noImages
  return new Map(
    status.images.flatMap(({ names = [], sizeBytes = 0 }) => names.map(name => [name, Number(sizeBytes)] as const)),
  )
}
