// Gives a directory with all it holds to a group that may read and write it, as the kubelet does for a pod's
// fsGroup. Links are not followed: whoever writes to the directory must not reach other files by them.
// Source: pkg/volume/volume_linux.go of Kubernetes.
import { constants, type Stats } from 'node:fs'
import { lchown, lstat, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** `OnRootMismatch` leaves everything as it is when the directory itself belongs to the group already. */
export type GroupPolicy = 'Always' | 'OnRootMismatch'

const readWrite = 0o660
/** New entries belong to the group, too. */
const directoryMode = 0o2110

export async function giveToGroup(path: string, group: number, policy: GroupPolicy): Promise<void> {
  const root = await lstat(path)
  const wanted = readWrite | directoryMode
  if (policy === 'OnRootMismatch' && root.gid === group && (root.mode & wanted) === wanted) return
  await change(path, root, group)
}

/** The directory last, so that what was interrupted is seen by its root. */
async function change(path: string, entry: Stats, group: number): Promise<void> {
  if (entry.isDirectory()) {
    for (const name of await readdir(path)) {
      const child = join(path, name)
      const found = await lstat(child).catch(() => undefined)
      if (found !== undefined) await change(child, found, group)
    }
  }
  if (entry.isDirectory() || entry.isFile()) await changeOpen(path, entry, group)
  else await lchown(path, entry.uid, group)
}

async function changeOpen(path: string, entry: Stats, group: number): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    await file.chown(entry.uid, group)
    await file.chmod((entry.mode & 0o7777) | readWrite | (entry.isDirectory() ? directoryMode : 0))
  } finally {
    await file.close()
  }
}
