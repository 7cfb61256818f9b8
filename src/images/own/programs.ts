// The programs of the machine that a cluster needs, with the libraries they load, as entries of a layer: what
// `sampan up` asks for with Debian's packages, and a shell to look around in. Each is in /usr/bin, wherever it is
// here.
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { clusterPrograms, findNetworkPlugins, findProgram, missingPackages } from '../../host/cluster-programs.ts'
import { run } from '../../host/command.ts'
import { sharedLibraries } from '../build/layers/base-layer.ts'
import { entriesBelow, type LayerEntry } from '../build/layers/layer.ts'
import { BuildError } from '../build/build-error.ts'

const needed = [...clusterPrograms, ['busybox-static', 'busybox'] as const]
/** That a cluster works without; HAProxy is its gateway. */
const useful = ['nsenter', 'haproxy']
/** Names of all that may be in the image, busybox' own commands apart. */
export const programNames: readonly string[] = [...needed.flatMap(([, ...names]) => names), ...useful]

export interface MachinePrograms {
  /** Path on this machine by name in the image. */
  readonly programs: ReadonlyMap<string, string>
  readonly networkPlugins: readonly string[]
  /** The directory of npm, where this machine has it as one directory with all it needs. */
  readonly npm: string | undefined
}

/** @throws BuildError that names the packages that are missing */
export function machinePrograms(): MachinePrograms {
  const plugins = findNetworkPlugins() ?? []
  const missing = [...missingPackages(), ...(findProgram('busybox') === undefined ? ['busybox-static'] : [])]
  if (missing.length > 0)
    throw new BuildError(
      `missing on this machine: ${missing.join(', ')}; install with: apt-get install ${missing.join(' ')}`,
    )
  const paths = [...needed.map(([, ...names]) => names), ...useful.map(name => [name])].flatMap(
    names => findProgram(...names) ?? [],
  )
  return {
    programs: new Map(paths.map(path => [basename(path), path])),
    networkPlugins: plugins,
    npm: npmDirectory(),
  }
}

/** Debian's own npm is spread over many packages and is left out. */
function npmDirectory(): string | undefined {
  const program = findProgram('npm')
  if (program === undefined) return undefined
  const directory = join(realpathSync(program), '../..')
  return basename(directory) === 'npm' && existsSync(join(directory, 'node_modules')) ? directory : undefined
}

/** Changes when one of the files does. */
export function programsFingerprint({ programs, networkPlugins: plugins, npm }: MachinePrograms): string {
  const files = [...programs.values(), ...plugins, ...(npm === undefined ? [] : [join(npm, 'package.json')])]
  return files
    .map(file => {
      const { size, mtimeMs } = statSync(file)
      return `${file} ${size} ${mtimeMs}`
    })
    .join('\n')
}

export async function programEntries(machine: MachinePrograms): Promise<LayerEntry[]> {
  const { programs, networkPlugins: plugins, npm } = machine
  const all = [...programs.values(), ...plugins]
  const libraries = await Promise.all([...new Set(all)].map(file => sharedLibraries(file)))
  const applets = (await run(programs.get('busybox')!, ['--list'])).stdout.trim().split('\n')
  const file = (path: string, source: string): LayerEntry => ({
    path,
    kind: 'file',
    source: realpathSync(source),
    mode: 0o755,
  })
  return [
    // As in Debian, so that a script finds its interpreter at either place.
    { path: 'bin', kind: 'link', target: 'usr/bin' },
    { path: 'sbin', kind: 'link', target: 'usr/bin' },
    { path: 'usr/sbin', kind: 'link', target: 'bin' },
    ...libraries.flat(),
    ...applets
      .filter(name => !programs.has(name) && name !== 'ldd')
      .map((name): LayerEntry => ({ path: `usr/bin/${name}`, kind: 'link', target: 'busybox' })),
    ...[...programs].map(([name, path]) => file(`usr/bin/${name}`, path)),
    ...plugins.map(path => file(`usr/lib/cni/${basename(path)}`, path)),
    // `sampan build` asks it what Node.js loads.
    { path: 'usr/bin/ldd', kind: 'file', source: Buffer.from(ldd), mode: 0o755 },
    ...(npm === undefined ? [] : await npmEntries(npm)),
    { path: 'root', kind: 'directory', mode: 0o700 },
    { path: 'run', kind: 'directory' },
    { path: 'var/tmp', kind: 'directory', mode: 0o1777 },
  ]
}

const ldd = `#!/bin/sh
for linker in /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.*; do
  [ ! -e "$linker" ] || exec "$linker" --list "$1"
done
`

async function npmEntries(directory: string): Promise<LayerEntry[]> {
  const unneeded = new Set(['man', 'docs'])
  return [
    ...(await entriesBelow(directory, 'usr/local/lib/node_modules/npm', {
      includes: path => !unneeded.has(path),
      mayHold: () => false,
    })),
    ...readdirSync(join(directory, 'bin'))
      .filter(name => /^np[mx]-cli\.js$/.test(name))
      .map((name): LayerEntry => ({
        path: `usr/local/bin/${name.replace('-cli.js', '')}`,
        kind: 'link',
        target: `../lib/node_modules/npm/bin/${name}`,
      })),
  ]
}
