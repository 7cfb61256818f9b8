// `sampan build [directory]`: builds the service in the folder and pushes it to the cluster's registry.
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { buildImage } from '../../images/build/build-image.ts'
import { defaultSettings } from '../../images/build/settings.ts'
import { isRepository, parseImageReference, tagPattern } from '../../images/image-reference.ts'
import { clusterRegistry, type RegistryAsked } from '../cluster-registry.ts'
import { deliveryOf, nextStep, repositoryOf, type DeliveryOf } from '../delivery-of.ts'
import { imageMaking } from '../image-making.ts'
import { CommandFailure, Output } from '../output.ts'
import { readProjectIn } from '../project-in.ts'
import { stopSignal } from '../stop-signal.ts'

export interface BuildCommandOptions extends RegistryAsked {
  /** `name:version`; by default as app.yml wants it, else as the project says. */
  readonly tag?: string
  /** `host:port` of the registry to push to; by default that of the cluster. */
  readonly registry?: string
  /** Context of the cluster; by default the current one. */
  readonly context?: string
  readonly output?: 'json'
}

export async function build(folder: string, options: BuildCommandOptions): Promise<void> {
  const output = new Output()
  const directory = resolve(folder)
  const found = statSync(directory, { throwIfNoEntry: false })
  if (found === undefined) throw new CommandFailure(`expected the folder of a service, found nothing at ${directory}`)
  if (!found.isDirectory())
    throw new CommandFailure(
      `expected the folder of a service, found a file: ${directory}; name its folder: sampan build ${dirname(folder)}`,
    )
  const reference = options.tag === undefined ? undefined : parseImageReference(options.tag)
  if (options.tag !== undefined && reference === undefined)
    throw new CommandFailure(`expected NAME:VERSION such as geo-backend:1.0.0, found "${options.tag}"`)
  if (reference?.registry !== undefined)
    throw new CommandFailure(
      `expected NAME:VERSION after --tag, found the registry "${reference.registry}" in it as well; name that with --registry ${reference.registry}`,
    )
  const delivery = reference === undefined ? deliveryOf(directory) : readableDelivery(directory, output)
  const settings = delivery?.build ?? defaultSettings
  const { builder, because, knownBy, ...project } = readProjectIn(directory, settings)
  const wanted = delivery === undefined ? undefined : repositoryOf(delivery)
  const repository = reference?.repository ?? wanted ?? project.name ?? ''
  if (!isRepository(repository))
    throw new CommandFailure(
      `"${repository}", as ${knownBy} has it, cannot name an image; give it a name of lower-case letters, digits and dashes, or use --tag NAME:VERSION`,
    )
  const tag = reference?.tag ?? project.version ?? ''
  if (!tagPattern.test(tag))
    throw new CommandFailure(
      tag === ''
        ? `${knownBy} in ${directory} has no version, and there is no commit; use --tag ${repository}:VERSION`
        : `the version "${tag}" of ${knownBy} cannot be the tag of an image: expected at most 128 letters, digits, ".", "_" and "-"; use --tag NAME:VERSION`,
    )
  const registry = options.registry ?? (await clusterRegistry(options.context, options))
  if (options.output === undefined) output.line(`builder: ${builder.title}, because of ${because}`)
  const stop = stopSignal()
  const image = await buildImage({
    signal: stop.signal,
    directory,
    builder,
    settings,
    repository,
    tag,
    registry,
    ...imageMaking(output, `building ${repository}:${tag}`),
    note: text => output.line(`note: ${text}`),
  })
    .catch((error: unknown) => {
      throw stop.exitCode === undefined
        ? error
        : new CommandFailure('the build was interrupted, and nothing of it is left', stop.exitCode)
    })
    .finally(() => {
      output.quiet()
      stop.close()
    })
  if (options.output === 'json') console.log(JSON.stringify({ image: `sampan.local/${repository}:${tag}`, ...image }))
  else
    output.line(
      `built sampan.local/${repository}:${tag} (${Math.round(image.sizeBytes / 1e6)} MB); ${nextStep(delivery, repository, tag, { context: options.context, folder: process.cwd() })}`,
    )
}

/** An image that has its name from elsewhere can be built while the manifest is wrong, or is another program's file. */
function readableDelivery(directory: string, output: Output): DeliveryOf | undefined {
  try {
    return deliveryOf(directory)
  } catch (error) {
    output.line(`note: ${(error as Error).message}`)
    return undefined
  }
}
