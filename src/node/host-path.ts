// A path of the host as a volume: what is there has to be of the type that was asked for, and some types are
// made when they are missing.
import type { Stats } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import type { HostPathVolumeSource } from '../api/generated/models.ts'
import { VolumeError } from './volume-files.ts'

const expectedTypes: Readonly<Record<string, (entry: Stats) => boolean>> = {
  Directory: entry => entry.isDirectory(),
  DirectoryOrCreate: entry => entry.isDirectory(),
  File: entry => entry.isFile(),
  FileOrCreate: entry => entry.isFile(),
  Socket: entry => entry.isSocket(),
  CharDevice: entry => entry.isCharacterDevice(),
  BlockDevice: entry => entry.isBlockDevice(),
}

const typeNames: Readonly<Record<string, string>> = {
  Directory: 'directory',
  DirectoryOrCreate: 'directory',
  File: 'file',
  FileOrCreate: 'file',
  Socket: 'socket file',
  CharDevice: 'character device',
  BlockDevice: 'block device',
}

/** @returns the path @throws VolumeError */
export async function hostPath({ path, type = '' }: HostPathVolumeSource): Promise<string> {
  const entry = await stat(path).catch(() => undefined)
  // Without a type nothing is checked; the runtime makes a missing directory, as with Kubernetes.
  if (entry === undefined && (type === '' || type === 'DirectoryOrCreate'))
    await mkdir(path, { recursive: true, mode: 0o755 })
  else if (entry === undefined && type === 'FileOrCreate') await writeFile(path, '', { mode: 0o644 })
  else if (entry === undefined || expectedTypes[type]?.(entry) === false)
    throw new VolumeError(`hostPath type check failed: ${path} is not a ${typeNames[type] ?? type}`)
  return path
}
