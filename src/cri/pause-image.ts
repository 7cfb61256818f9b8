// The sandbox image, which holds a pod's namespaces open. It is made here and imported, because no
// registry may be reachable.
import { arch } from 'node:os'
import { ociImage, type OciImage } from './oci-image.ts'
import { pauseProgram } from './static-elf.ts'

export const pauseImageName = 'sampan.local/pause:1'

export function pauseImage(architecture: string = arch()): Promise<OciImage> {
  return ociImage({
    files: [{ path: 'pause', content: pauseProgram(architecture), mode: 0o755 }],
    entrypoint: ['/pause'],
  })
}
