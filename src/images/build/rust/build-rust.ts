// Rust: one program of a package, built by cargo from its lock file. What it links dynamically comes along. Cargo's
// folder of half-made things is kept beside the layers, so that nothing is written into the project.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { buildByCommand } from '../command/build-by-command.ts'
import type { Component, ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { applicationFolder, containerConfig } from '../layers/container-config.ts'
import { librariesOfProgram } from '../layers/executables.ts'
import { foundation } from '../layers/foundation.ts'
import { entriesBelow } from '../layers/layer.ts'
import { oneProgram } from '../layers/one-program.ts'
import { markUsed } from '../layers/prune-layers.ts'
import { serviceFiles } from '../layers/service-files.ts'
import { readToml } from '../read-toml.ts'
import { cargo } from './cargo.ts'

/** @throws BuildError */
export async function buildRust(context: BuildContext): Promise<ImageContent> {
  const { directory, settings, progress } = context
  if (settings.run !== undefined) return buildByCommand(context)
  const project = await readProject(context)
  const { program, args } = oneProgram(project.programs, settings.start, project.preferred, 'program', directory)
  const binary = await compile(context, program.name, project.root)
  progress(`cargo build ${program.name}`, false)
  const place = `${applicationFolder}/${program.name}`
  const below = await foundation(context, [], await librariesOfProgram(binary, program.name))
  const files = await entriesBelow(directory, applicationFolder, serviceFiles(directory, sources))
  return {
    layers: [
      ...below.layers,
      await applicationLayer(context, [...files, { path: place, kind: 'file', source: binary, mode: 0o755 }]),
    ],
    config: containerConfig({ command: [`/${place}`, ...args] }),
    components: [...below.components, ...cratesOf(project.root)],
  }
}

/** What the compiler takes. Other files are there to be read by the program. */
const sources = {
  never: ['target', '.cargo'],
  usually: [
    '**/*.rs',
    '**/Cargo.toml',
    'Cargo.lock',
    'rust-toolchain',
    'rust-toolchain.toml',
    'rustfmt.toml',
    'clippy.toml',
    'vendor',
    'src',
    'tests',
    'benches',
    'examples',
    '*.md',
  ],
}

interface Project {
  /** Where the lock file is. */
  readonly root: string
  readonly programs: readonly { readonly name: string }[]
  readonly preferred: string | undefined
}

interface Metadata {
  readonly workspace_root: string
  readonly packages: readonly {
    readonly name: string
    readonly manifest_path: string
    readonly default_run: string | null
    readonly targets: readonly { readonly name: string; readonly kind: readonly string[] }[]
  }[]
}

async function readProject(context: BuildContext): Promise<Project> {
  const { directory } = context
  const { stdout } = await cargo(context, ['metadata', '--no-deps', '--format-version=1'])
  const { packages, workspace_root: root } = JSON.parse(stdout) as Metadata
  if (!existsSync(join(root, 'Cargo.lock')))
    throw new BuildError(
      `expected a Cargo.lock in ${root}, because a build must be repeatable; make one with: cargo generate-lockfile`,
    )
  const own = packages.filter(({ manifest_path: path }) => dirname(path) === directory)
  const taken = own.length > 0 ? own : packages
  return {
    root,
    programs: taken.flatMap(({ targets }) => targets.filter(({ kind }) => kind.includes('bin'))),
    preferred: own[0]?.default_run ?? own[0]?.name,
  }
}

/** @returns the program */
async function compile(context: BuildContext, name: string, root: string): Promise<string> {
  const { cacheDirectory } = context
  const key = createHash('sha256').update(root).digest('hex').slice(0, 16)
  const target = process.env['CARGO_TARGET_DIR'] ?? join(cacheDirectory, `cargo-${key}`)
  await markUsed(target)
  // Where the sources and those of packages are must not be in the program, which would differ from place to place.
  const home = process.env['CARGO_HOME'] ?? join(homedir(), '.cargo')
  const remapped = [`${root}=/src`, `${home}=/cargo`].map(pair => JSON.stringify(`--remap-path-prefix=${pair}`))
  const { stdout } = await cargo(
    context,
    [
      'build',
      '--release',
      '--locked',
      `--bin=${name}`,
      '--message-format=json-render-diagnostics',
      '--config',
      `build.rustflags=[${remapped.join(',')}]`,
    ],
    { CARGO_TARGET_DIR: target },
  )
  const made = stdout
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as { executable?: string | null; target?: { name: string } })
    .findLast(({ executable, target: made }) => typeof executable === 'string' && made?.name === name)
  if (typeof made?.executable !== 'string') throw new BuildError(`cargo build made no program "${name}"`)
  return made.executable
}

/** Those of the lock file that come from a registry or a repository. */
function cratesOf(root: string): Component[] {
  const { package: all = [] } = readToml<{ package?: { name: string; version: string; source?: string }[] }>(
    join(root, 'Cargo.lock'),
  )
  return all
    .filter(({ source }) => source !== undefined)
    .map(({ name, version }) => ({ name, version, purl: `pkg:cargo/${name}@${encodeURIComponent(version)}` }))
}
