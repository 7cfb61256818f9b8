// Rust, as a folder is known to be of it; what makes the image is loaded when one is made.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Builder, ProjectName } from '../builder.ts'
import { readToml } from '../read-toml.ts'
import { rustInputs } from './local-packages.ts'

export const rustBuilder: Builder = {
  name: 'rust',
  title: 'Rust',
  looksFor: 'Cargo.toml',
  finds: directory => (existsSync(join(directory, 'Cargo.toml')) ? 'Cargo.toml' : undefined),
  describe,
  inputs: rustInputs,
  // The program may be one that starts another one, by what is installed and chosen.
  surroundings: async directory => {
    const { cargo } = await import('./cargo.ts')
    const { stdout } = await cargo({ directory }, ['--version', '--verbose'])
    return `${stdout} ${process.env['RUSTFLAGS']}`
  },
  build: async context => (await import('./build-rust.ts')).buildRust(context),
}

function describe(directory: string): ProjectName {
  const { package: own = {} } = readToml<{ package?: { name?: string; version?: unknown } }>(
    join(directory, 'Cargo.toml'),
  )
  return { name: own.name, version: typeof own.version === 'string' ? own.version : undefined }
}
