// A shell and the usual small programs, for images that were asked to have them: Debian's static busybox, which needs
// no library and brings some three hundred programs under their names.
import { findProgram } from '../../../host/cluster-programs.ts'
import { run } from '../../../host/command.ts'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { debianComponents } from '../layers/debian-owners.ts'
import { filesKey } from '../layers/files-key.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import type { LayerEntry } from '../layers/layer.ts'

const place = 'usr/bin'

/** @throws BuildError */
export async function shellLayer(context: BuildContext): Promise<KeptLayer> {
  const busybox = findProgram('busybox')
  if (busybox === undefined)
    throw new BuildError(
      '"shell: true" takes the shell from busybox, which is missing on this machine; install it with: apt-get install busybox-static',
    )
  const layer = await keptLayer(context, `shell-${filesKey([busybox], '1')}`, async () => {
    const applets = (await run(busybox, ['--list'])).stdout.trim().split('\n')
    return {
      entries: [
        { path: `${place}/busybox`, kind: 'file', source: busybox, mode: 0o755 },
        ...applets
          .filter(name => name !== 'busybox')
          .map((name): LayerEntry => ({ path: `${place}/${name}`, kind: 'link', target: 'busybox' })),
        // Scripts begin with it.
        { path: 'bin/sh', kind: 'link', target: '/usr/bin/busybox' },
      ],
      components: await debianComponents([busybox]),
    }
  })
  context.progress('shell', layer.cached)
  return layer
}
