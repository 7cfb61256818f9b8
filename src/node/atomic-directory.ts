// Writes a set of files so that readers see the old set or the new one, never a mixture: the files lie in
// a fresh directory, `..data` is a symbolic link that is swapped by rename, and the visible names are
// links through it. The layout is Kubernetes' (pkg/volume/util/atomic_writer.go).
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { VolumeFile } from './volume-files.ts'

const dataLink = '..data'

export interface Ownership {
  readonly group?: number
}

/** Returns whether anything changed. */
export async function writeAtomically(
  directory: string,
  files: readonly VolumeFile[],
  stamp: string,
  ownership: Ownership = {},
): Promise<boolean> {
  const current = await readlink(join(directory, dataLink)).catch(() => undefined)
  if (current !== undefined && (await sameFiles(join(directory, current), files))) return false
  const fresh = `..${stamp}`
  const target = join(directory, fresh)
  await mkdir(target, { recursive: true })
  await chmod(target, 0o755)
  await Promise.all(files.map(file => writeOne(target, file, ownership)))
  const temporary = join(directory, '..data_tmp')
  await rm(temporary, { force: true })
  await symlink(fresh, temporary)
  await rename(temporary, join(directory, dataLink))
  await linkVisibleNames(directory, files)
  if (current !== undefined) await rm(join(directory, current), { recursive: true, force: true })
  return true
}

async function writeOne(target: string, file: VolumeFile, ownership: Ownership): Promise<void> {
  const path = join(target, file.path)
  if (file.path.includes('/')) await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await writeFile(path, file.content)
  if (ownership.group !== undefined) await chown(path, 0, ownership.group)
  // After chown, which clears bits; writeFile's mode is subject to the umask.
  await chmod(path, ownership.group === undefined ? file.mode : file.mode | 0o440)
}

/** `config/app.yml` needs only one visible link: `config`. */
async function linkVisibleNames(directory: string, files: readonly VolumeFile[]): Promise<void> {
  const wanted = new Set(files.map(file => file.path.split('/')[0]!))
  const present = new Set((await readdir(directory)).filter(name => !name.startsWith('..')))
  await Promise.all([
    ...[...wanted].filter(name => !present.has(name)).map(name => symlink(join(dataLink, name), join(directory, name))),
    ...[...present].filter(name => !wanted.has(name)).map(name => unlink(join(directory, name))),
  ])
}

async function sameFiles(directory: string, files: readonly VolumeFile[]): Promise<boolean> {
  const present = await filesBelow(directory, '')
  if (present.length !== files.length) return false
  const equal = await Promise.all(
    files.map(file =>
      readFile(join(directory, file.path)).then(
        content => content.equals(file.content),
        () => false,
      ),
    ),
  )
  return equal.every(Boolean)
}

async function filesBelow(directory: string, prefix: string): Promise<string[]> {
  const names = await readdir(join(directory, prefix)).catch(() => [])
  const nested = await Promise.all(
    names.map(async name => {
      const path = join(prefix, name)
      return (await lstat(join(directory, path))).isDirectory() ? await filesBelow(directory, path) : [path]
    }),
  )
  return nested.flat()
}
