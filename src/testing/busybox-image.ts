// A test image made of the machine's static busybox (Debian package busybox-static): no registry needed.
import { existsSync, readFileSync } from 'node:fs'
import { run } from '../host/command.ts'
import { ociImage, type OciImage } from '../cri/oci-image.ts'

const program = '/bin/busybox'

export const busyboxMissing = existsSync(program)
  ? undefined
  : 'busybox is missing; install it with: apt-get install busybox-static'

export async function busyboxImage(): Promise<OciImage> {
  const { stdout } = await run(program, ['--list'])
  const applets = stdout.split('\n').filter(name => name !== '' && name !== 'busybox')
  return await ociImage({
    files: [
      { path: 'bin/' },
      { path: 'etc/' },
      { path: 'tmp/', mode: 0o1777 },
      { path: 'root/' },
      { path: 'bin/busybox', content: readFileSync(program), mode: 0o755 },
      {
        path: 'etc/passwd',
        content: Buffer.from('root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
      },
      { path: 'etc/group', content: Buffer.from('root:x:0:\nnobody:x:65534:\n') },
      ...applets.map(name => ({ path: `bin/${name}`, link: 'busybox' })),
    ],
    command: ['sh'],
    environment: ['PATH=/bin'],
  })
}
