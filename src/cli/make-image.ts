// Builds the image that a delivery wants and the cluster does not have, where the manifest's folder is its source: a
// project of that version.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { buildImage } from '../images/build/build-image.ts'
import { readProject } from '../images/build/project.ts'
import type { MakeImage } from './deliveries.ts'
import { imageMaking } from './image-making.ts'
import type { DeliveryOptions } from '../delivery/delivering.ts'
import type { Target } from './target.ts'

const shownBy = (report: DeliveryOptions['report']): Parameters<typeof imageMaking>[0] => ({
  working: text => report.waiting(text),
  done: text => report.step(text),
})

export const makeImage =
  (target: Target, report: DeliveryOptions['report']): MakeImage =>
  async (directory, { repository, tag }) => {
    const hosting = await target.registry()
    if (hosting === undefined || !existsSync(join(directory, 'package.json'))) return false
    const project = readProject(directory)
    if (project.version !== tag) return false
    await buildImage({
      directory: project.directory,
      repository,
      tag,
      registry: hosting.host,
      ...imageMaking(shownBy(report), `building ${repository}:${tag}`),
      note: text => report.note(`note: ${text}`),
    })
    return true
  }
