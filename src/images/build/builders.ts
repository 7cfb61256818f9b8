// The builders, in the order in which they are asked. What a person wrote on purpose (a Dockerfile) comes before what
// a language's tools leave in a folder; a folder of plain pages is the last thing that it may be.
import { BuildError } from './build-error.ts'
import type { Builder } from './builder.ts'
import { nodeBuilder } from './node/node-builder.ts'
import type { BuildSettings } from './settings.ts'

const builders: readonly Builder[] = [nodeBuilder]

export interface Chosen {
  readonly builder: Builder
  /** `package.json`, or that it was asked for. */
  readonly because: string
}

/** @throws BuildError when nothing fits, or the one that was asked for is not there */
export function chooseBuilder(directory: string, settings: BuildSettings): Chosen {
  if (settings.with !== undefined) {
    const builder = builders.find(({ name }) => name === settings.with)
    if (builder !== undefined) return { builder, because: `build: ${settings.with}` }
  }
  for (const builder of builders) {
    const found = builder.finds(directory)
    if (found !== undefined) return { builder, because: found }
  }
  throw new BuildError(
    `expected a package.json in ${directory}, but there is none; sampan builds Node.js and TypeScript services`,
  )
}
