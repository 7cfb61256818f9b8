// PHP, as a folder is known to be of it; what makes the image is loaded when one is made.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Builder, ProjectName } from '../builder.ts'
import { plainDevelopment } from '../command/plain-development.ts'
import { toolsKey } from '../layers/files-key.ts'
import { readJson } from '../read-json.ts'
import { sourcesOf } from './php-files.ts'

const known = ['composer.json', 'index.php', 'public/index.php']

export const phpBuilder: Builder = {
  name: 'php',
  title: 'PHP',
  looksFor: 'composer.json, index.php or public/index.php',
  finds: directory => known.find(name => existsSync(join(directory, name))),
  describe,
  development: (directory, settings) =>
    plainDevelopment(directory, settings, sourcesOf(directory), ['composer.json', 'composer.lock']),
  surroundings: async () => toolsKey(['php']),
  build: async context => (await import('./build-php.ts')).buildPhp(context),
}

function describe(directory: string): ProjectName {
  const file = join(directory, 'composer.json')
  if (!existsSync(file)) return { name: undefined, version: undefined }
  const { name, version } = readJson<{ name?: string; version?: string }>(file)
  return { name, version }
}
