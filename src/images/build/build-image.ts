// `sampan build`: what is in a folder becomes an image, made by the builder that fits, and goes to a registry.
import type { BuildContext, Builder } from './builder.ts'
import { prepareCache, whileMaking } from './layers/kept-layer.ts'
import { pushImage, type BuiltImage } from './push-image.ts'
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
  /** Where layers are kept between builds. */
  readonly cacheDirectory: string
  /** The Node.js that goes into images. */
  readonly nodeBinary: string
  /** Called as each part is done. */
  readonly progress: (step: string, cached: boolean) => void
  /** Told what the image will not do. */
  readonly note: (text: string) => void
}

/** @throws BuildError */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  await prepareCache(options.cacheDirectory)
  return whileMaking(options.cacheDirectory, async making => {
    const context: BuildContext = { ...options, making, base: undefined, owner: 0 }
    const { layers, config } = await options.builder.build(context)
    const image = await pushImage(options.registry, options, layers, config)
    options.progress('pushed', false)
    return image
  })
}
