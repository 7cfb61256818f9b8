// The dependencies of a service, installed for production alone in a folder of their own, from its lock file.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { librariesOf } from '../layers/base-layer.ts'
import type { FileFilter } from '../layers/docker-ignore.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import { entriesBelow } from '../layers/layer.ts'
import { nativeLibraries } from '../layers/native-libraries.ts'
import { applicationFolder, compileDependencies } from './compiled-code.ts'
import { npm } from './npm.ts'
import type { Project } from './project.ts'

export async function dependencyLayer(context: BuildContext, project: Project): Promise<KeptLayer> {
  const { root, needed, members } = project
  const lockFile = join(root, 'package-lock.json')
  if (!existsSync(lockFile))
    throw new BuildError(
      `expected a package-lock.json beside ${join(root, 'package.json')}, because a build must be repeatable; make one with: npm install --package-lock-only`,
    )
  const manifests = await Promise.all(
    [...new Set(['', ...needed])].map(
      async path => JSON.parse(await readFile(join(root, path, 'package.json'), 'utf8')) as Record<string, unknown>,
    ),
  )
  const key = createHash('sha256')
    .update(
      JSON.stringify(manifests.map(json => [json['dependencies'], json['optionalDependencies'], json['overrides']])),
    )
    .update(JSON.stringify(needed))
    .update(await readFile(lockFile))
    .update(`compiled 3 ${process.version} ${process.arch}`)
    .digest('hex')
    .slice(0, 16)
  return keptLayer(context, `dependencies-${key}`, async making => {
    // The tar is written after this returns, so the folder stays until the layer is kept.
    const installed = join(making, 'project')
    await mkdir(installed)
    for (const name of ['package-lock.json', '.npmrc'])
      if (existsSync(join(root, name))) await cp(join(root, name), join(installed, name))
    if (project.path === '') await cp(join(root, 'package.json'), join(installed, 'package.json'))
    else for (const path of ['', ...members]) await stageMember(root, path, installed)
    await npm(context, installed, [
      'ci',
      '--loglevel=error',
      '--omit=dev',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      ...(project.path === '' ? [] : needed.map(path => `--workspace=${path}`)),
    ])
    await compileDependencies(
      installed,
      Object.keys((manifests.at(-1)?.['dependencies'] ?? {}) as object),
      context.nodeBinary,
    )
    const folders = [...new Set(['', ...needed])].map(path => join(path, 'node_modules'))
    const entries = await Promise.all(
      folders.map(folder =>
        entriesBelow(join(installed, folder), join(applicationFolder, folder), withoutCache).catch(
          (error: NodeJS.ErrnoException) => {
            if (error.code !== 'ENOENT') throw error
            return []
          },
        ),
      ),
    )
    const native = await nativeLibraries(
      folders.map(folder => join(installed, folder)),
      await librariesOf(context.nodeBinary),
    )
    return { entries: [...entries.flat(), ...native.entries], notes: native.notes }
  })
}

const withoutCache: FileFilter = { includes: path => path !== '.cache', mayHold: () => false }

/** A member of the workspace as far as npm has to know it; its scripts would miss its files. */
async function stageMember(root: string, path: string, installed: string): Promise<void> {
  const file = join(root, path, 'package.json')
  if (!existsSync(file)) return
  const { scripts: _scripts, ...json } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
  await mkdir(join(installed, path), { recursive: true })
  await writeFile(join(installed, path, 'package.json'), JSON.stringify(json))
}
