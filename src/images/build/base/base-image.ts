// An image from a registry that a service's layers are put on.
import type { ContainerConfig } from '../image-content.ts'
import type { Layer } from '../layers/layer.ts'

export interface BaseImage {
  /** As it was named: `debian:12-slim`. */
  readonly name: string
  readonly digest: string
  readonly layers: readonly Layer[]
  readonly config: ContainerConfig
  /** Whether there is a file at this absolute path in it. */
  readonly has: (path: string) => boolean
}
