// What each command that makes an image goes by: the folder in which layers are kept from one to the next, the
// Node.js that goes into the image, who the user is at registries, and how the steps are shown.
import { isAbsolute, join } from 'node:path'
import { homeFolder } from '../client/home-folder.ts'
import type { BuildOptions } from '../images/build/build-options.ts'
import { sampanVersion } from '../lib/version.ts'
import type { Output } from './output.ts'
import { loggedIn } from './registry-login.ts'

type ImageMaking = Pick<BuildOptions, 'cacheDirectory' | 'nodeBinary' | 'progress' | 'connect' | 'tool'>

/** Where layers are kept. What is relative does not count, as the specification of these variables wants it. */
export function layerFolder(): string {
  const named = process.env['XDG_CACHE_HOME'] ?? ''
  return join(isAbsolute(named) ? named : join(homeFolder(), '.cache'), 'sampan', 'layers')
}

/** @param doing is shown from now on between the steps */
export function imageMaking(output: Pick<Output, 'working' | 'done'>, doing: string): ImageMaking {
  output.working(doing)
  return {
    cacheDirectory: layerFolder(),
    nodeBinary: process.execPath,
    connect: loggedIn,
    tool: `sampan-${sampanVersion}`,
    progress: (step, cached) => {
      output.done(cached ? `${step} (kept from before)` : step)
      output.working(doing)
    },
  }
}
