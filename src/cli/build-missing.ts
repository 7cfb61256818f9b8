// Makes the image of a delivery that the cluster's registry has not yet, when the folder of the manifest is of just
// that version. Of any other version it cannot be known what it is made of.
import { dirname, resolve } from 'node:path'
import type { Report } from '../delivery/execution/world.ts'
import type { Manifest } from '../delivery/manifest/manifest.ts'
import { buildImage } from '../images/build/build-image.ts'
import { repositoryOf } from './delivery-of.ts'
import { imageMaking } from './image-making.ts'
import { projectIn, readProjectIn } from './project-in.ts'

export interface MissingImage {
  readonly manifest: Pick<Manifest, 'image' | 'build'>
  /** Of the manifest, in whose folder the project is. */
  readonly file: string
  readonly version: string
}

/** Whether the folder is what the image is made of. */
export const isBuildable = ({ manifest, file, version }: MissingImage): boolean =>
  repositoryOf(manifest) !== undefined && projectIn(dirname(resolve(file)), manifest.build).version === version

/** @param registry `host:port` of the cluster's own */
export async function buildMissing(
  { manifest, file, version }: MissingImage,
  registry: string,
  report: Report,
  signal?: AbortSignal,
): Promise<void> {
  const repository = repositoryOf(manifest)!
  const directory = dirname(resolve(file))
  const { builder, because } = readProjectIn(directory, manifest.build)
  report.note(`it is built with ${builder.title}, because of ${because}`)
  await buildImage({
    directory,
    builder,
    settings: manifest.build,
    repository,
    tag: version,
    registry,
    ...imageMaking(
      { working: text => report.waiting(text), done: text => report.step(`build: ${text}`) },
      `building ${repository}:${version}`,
    ),
    note: text => report.note(`note: ${text}`),
    ...(signal !== undefined && { signal }),
  })
}
