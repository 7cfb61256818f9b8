// Makes the image of a delivery that the cluster's registry has not yet, when the folder of the manifest is of just
// that version. Of any other version it cannot be known what it is made of.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Report } from '../delivery/execution/world.ts'
import type { Manifest } from '../delivery/manifest/manifest.ts'
import { buildImage } from '../images/build/build-image.ts'
import { chooseBuilder } from '../images/build/builders.ts'
import { defaultSettings } from '../images/build/settings.ts'
import { repositoryOf } from './delivery-of.ts'
import { imageMaking } from './image-making.ts'

export interface MissingImage {
  readonly manifest: Pick<Manifest, 'image'>
  /** Of the manifest, beside which the package.json is. */
  readonly file: string
  readonly version: string
}

/** Whether the folder is what the image is made of. */
export function isBuildable({ manifest, file, version }: MissingImage): boolean {
  const project = join(dirname(file), 'package.json')
  if (repositoryOf(manifest) === undefined || !existsSync(project)) return false
  return (JSON.parse(readFileSync(project, 'utf8')) as { version?: unknown }).version === version
}

/** @param registry `host:port` of the cluster's own */
export async function buildMissing(
  { manifest, file, version }: MissingImage,
  registry: string,
  report: Report,
): Promise<void> {
  const repository = repositoryOf(manifest)!
  const directory = dirname(resolve(file))
  await buildImage({
    directory,
    builder: chooseBuilder(directory, defaultSettings).builder,
    settings: defaultSettings,
    repository,
    tag: version,
    registry,
    ...imageMaking(
      { working: text => report.waiting(text), done: text => report.step(`build: ${text}`) },
      `building ${repository}:${version}`,
    ),
    note: text => report.note(`note: ${text}`),
  })
}
