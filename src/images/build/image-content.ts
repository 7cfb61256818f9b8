// What a builder makes: layers, how a container of them starts, and what is in them.
import type { Layer } from './layers/layer.ts'

export interface ImageContent {
  /** The lowest first; those of a base image are among them. */
  readonly layers: readonly Layer[]
  readonly config: ContainerConfig
  /** What is in the image, for its bill of materials. */
  readonly components: readonly Component[]
}

/** What a container of the image starts with, as OCI's image specification names it. */
export interface ContainerConfig {
  readonly User?: string
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly WorkingDir?: string
  readonly StopSignal?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Volumes?: Readonly<Record<string, object>>
  readonly Labels?: Readonly<Record<string, string>>
}

export interface Component {
  readonly name: string
  readonly version: string
  /** Package URL: `pkg:npm/fastify@5.0.0`. */
  readonly purl: string
  /** SPDX expression, where it is known. */
  readonly license?: string
}
