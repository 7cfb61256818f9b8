// ImageLocality: nodes that have large images of a pod already are better, the more so the more nodes have
// them, lest a single node draw everything. Source: pkg/scheduler/framework/plugins/imagelocality.
import type { Pod } from '../api/generated/models.ts'
import { withDefaultTag } from '../api/image-name.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'

const mebibyte = 1024 * 1024
const leastBytes = 23 * mebibyte
const mostBytesOfOne = 1000 * mebibyte

/** undefined: no node has any of the images. */
export function imageScore({ spec }: Pod, snapshot: Snapshot): ((info: NodeInfo) => number) | undefined {
  const containers = [...(spec.initContainers ?? []), ...spec.containers]
  const present = containers
    .map(({ image = '' }) => withDefaultTag(image))
    .filter(image => snapshot.nodesWithImage(image) > 0)
  if (present.length === 0) return undefined
  const mostBytes = mostBytesOfOne * containers.length
  return info => {
    const bytes = present.reduce(
      (sum, image) =>
        sum + Math.trunc(((info.images.get(image) ?? 0) * snapshot.nodesWithImage(image)) / snapshot.nodes.size),
      0,
    )
    return Math.trunc(
      (100 * (Math.min(mostBytes, Math.max(leastBytes, bytes)) - leastBytes)) / (mostBytes - leastBytes),
    )
  }
}
