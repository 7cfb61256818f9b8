// The PHP of this machine: its extensions and how they are switched on, as a kept layer. The program itself is in the
// base, with what it links.
import { realpathSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuildContext } from '../builder.ts'
import { debianComponents } from '../layers/debian-owners.ts'
import { filesKey } from '../layers/files-key.ts'
import type { Foundation } from '../layers/foundation.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import type { LayerEntry } from '../layers/layer.ts'
import { nativeLibraries } from '../layers/native-libraries.ts'
import { runTool } from '../run-tool.ts'

/** In the image. */
export const phpPath = 'usr/local/bin/php'

export interface PhpOfMachine {
  readonly program: string
  readonly version: string
  /** Folder of the extensions. */
  readonly extensions: string
  /** Files that it reads at its start. */
  readonly settings: readonly string[]
}

const facts = `echo json_encode([
  'program' => PHP_BINARY, 'version' => PHP_VERSION, 'extensions' => ini_get('extension_dir'),
  'settings' => array_filter(array_merge([php_ini_loaded_file() ?: ''], array_map('trim', explode(',', php_ini_scanned_files() ?: '')))),
]);`

/** @throws BuildError */
export async function findPhp(directory: string): Promise<PhpOfMachine> {
  const { stdout } = await runTool('php', ['-r', facts], {
    directory,
    project: directory,
    tells: 'last',
    missing: `${directory} is a PHP project, and PHP is missing on this machine; install it with: apt-get install php-cli`,
  })
  const found = JSON.parse(stdout) as Omit<PhpOfMachine, 'settings'> & { settings: Record<string, string> | string[] }
  return { ...found, program: realpathSync(found.program), settings: Object.values(found.settings) }
}

export async function phpLayer(context: BuildContext, php: PhpOfMachine, below: Foundation): Promise<KeptLayer> {
  const { program, version, extensions, settings } = php
  const names = (await readdir(extensions).catch(() => [])).filter(name => name.endsWith('.so')).toSorted()
  const files = names.map(name => join(extensions, name))
  const key = filesKey([program, ...files, ...settings], '1', version, ...below.libraries)
  return keptLayer(context, `php-${key}`, async () => {
    const native = await nativeLibraries([extensions], below.libraries)
    return {
      entries: [
        ...files.map((path): LayerEntry => ({ path: path.slice(1), kind: 'file', source: realpathSync(path) })),
        // At the same places as here, some of them links.
        ...settings.map((path): LayerEntry => ({ path: path.slice(1), kind: 'file', source: realpathSync(path) })),
        ...native.entries,
      ],
      components: await debianComponents(files),
    }
  })
}
