// The builders, in the order in which they are asked. What a person wrote on purpose (a Dockerfile) comes before what
// a language's tools leave in a folder; a folder of plain pages is the last thing that it may be.
import { BuildError } from './build-error.ts'
import type { Builder } from './builder.ts'
import { commandBuilder } from './command/command-builder.ts'
import { dockerfileBuilder } from './dockerfile/dockerfile-builder.ts'
import { goBuilder } from './go/go-builder.ts'
import { javaBuilder } from './java/java-builder.ts'
import { nodeBuilder } from './node/node-builder.ts'
import { phpBuilder } from './php/php-builder.ts'
import { pythonBuilder } from './python/python-builder.ts'
import { rustBuilder } from './rust/rust-builder.ts'
import type { BuildSettings } from './settings.ts'
import { pagesBuilder, siteBuilder } from './static/static-builder.ts'

const builders: readonly Builder[] = [
  dockerfileBuilder,
  siteBuilder,
  nodeBuilder,
  pythonBuilder,
  goBuilder,
  rustBuilder,
  javaBuilder,
  phpBuilder,
  commandBuilder,
  pagesBuilder,
]

export interface Chosen {
  readonly builder: Builder
  /** `go.mod`, or that it was asked for; and what else the folder may be. */
  readonly because: string
}

/** @throws BuildError when nothing fits, or the one that was asked for does not */
export function chooseBuilder(directory: string, settings: BuildSettings): Chosen {
  const { with: asked } = settings
  const asks = asked === undefined ? builders : builders.filter(({ name }) => name === asked)
  const fitting = asks.flatMap(builder => {
    const found = builder.finds(directory, settings)
    return found === undefined ? [] : [{ builder, found }]
  })
  const [first, ...others] = fitting
  if (first === undefined)
    throw new BuildError(asked === undefined ? nothingFits(directory) : isMissing(directory, asks))
  const { builder, found } = first
  if (asked !== undefined)
    return { builder, because: found.startsWith('build.') ? found : `build: ${asked}, and ${found}` }
  const other = others.find(({ builder: { name } }) => name !== builder.name && name !== 'command')
  const also =
    other === undefined
      ? ''
      : ` (for ${other.builder.title}, because of ${other.found}, say build: ${other.builder.name} in app.yml)`
  return { builder, because: `${found}${also}` }
}

const isMissing = (directory: string, [builder, ...more]: readonly Builder[]): string =>
  `build: ${builder!.name} was asked for, which needs ${[builder!, ...more].map(({ looksFor }) => looksFor).join('; or ')}; ${directory} has none`

const nothingFits = (directory: string): string =>
  [
    `cannot tell how to make an image of ${directory}; expected one of these in it, or say it in app.yml:`,
    ...[...Map.groupBy(builders, ({ name }) => name)].map(
      ([name, same]) =>
        `  build: ${name.padEnd(10)} ${same[0]!.title}: ${same.map(({ looksFor }) => looksFor).join('; or ')}`,
    ),
  ].join('\n')
