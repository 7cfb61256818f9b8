// What the making of an image goes by.
import type { RegistryClient } from '../client/registry-client.ts'
import type { Builder } from './builder.ts'
import type { ImageContent } from './image-content.ts'
import type { LayerCache } from './layers/kept-layer.ts'
import type { BuildSettings } from './settings.ts'

export interface BuildOptions {
  readonly directory: string
  readonly builder: Builder
  readonly settings: BuildSettings
  /** Name in the registry, without registry and tag. */
  readonly repository: string
  readonly tag: string
  /** `127.0.0.1:5000` */
  readonly registry: string
  /** How this user reaches a repository of a registry. */
  readonly connect: (registry: string, repository: string) => RegistryClient
  /** Where layers are kept between builds. */
  readonly cacheDirectory: string
  /** The Node.js that goes into images. */
  readonly nodeBinary: string
  /** Who builds: `sampan-1.0.0`. */
  readonly tool: string
  /** User that the service's own files belong to; by default 0, so that the service cannot change them. */
  readonly owner?: number
  /** Adds to what the builder made; `key` tells it from builds without it. */
  readonly finish?: {
    readonly key: string
    readonly add: (content: ImageContent, cache: LayerCache) => Promise<ImageContent>
  }
  /** Called as each part is done. */
  readonly progress: (step: string, cached: boolean) => void
  /** Told what the image will not do. */
  readonly note: (text: string) => void
  /** Ends the build with all programs that it runs. */
  readonly signal?: AbortSignal
}
