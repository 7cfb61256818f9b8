// Files that are there whole or not at all, whenever the process or the machine ends: written beside their place,
// brought to the disk, and renamed. What these functions have done survives.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const thisProcess = randomUUID()
/** No other name of ours starts with a dot, so a half-written file is never taken for a whole one. */
const isTemporary = (name: string): boolean => name.startsWith('.')
export const temporaryName = (): string => `.${thisProcess}.${randomUUID()}`

/** @param nowMs its time, in epoch milliseconds */
export async function writeDurably(file: string, content: string | Buffer, nowMs: number): Promise<void> {
  const folder = dirname(file)
  await makeDirectory(folder)
  const temporary = join(folder, temporaryName())
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(content)
      await handle.utimes(nowMs / 1000, nowMs / 1000)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(folder)
}

/** Makes a directory, with those above it, so that it is there after a crash too. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true })
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = dirname(made)) await syncDirectory(dirname(made))
}

/** What was made, renamed or removed in it is on the disk then. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Names in a directory, without those that are being written; none when there is no directory. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter(name => !isTemporary(name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Takes away what a killed process left half-written in the directory and those below it. @param beforeMs where other processes write */
export async function removeHalfWritten(directory: string, beforeMs = Infinity): Promise<void> {
  const entries = await readdir(directory, { recursive: true }).catch(() => [])
  for (const path of entries) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (!isTemporary(name) || name.startsWith(`.${thisProcess}.`)) continue
    const file = join(directory, path)
    const found = await stat(file).catch(() => undefined)
    if (found !== undefined && found.mtimeMs < beforeMs) await rm(file, { force: true })
  }
}

/** The disk is full, or what this user may take of it. */
export const isFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')

export const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '')
