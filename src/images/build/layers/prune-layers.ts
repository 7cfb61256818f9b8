// What builds keep beside their layers is bounded: whatever none of them has used for a month goes, layers and what is
// known of them, base images, folders of compilers, programs of package managers, and the store of Dockerfiles as a whole.
import { lstat, readdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'

export const unusedMs = 30 * 24 * 3_600_000

export interface PrunedLayers {
  /** Of all that was there. */
  readonly bytes: number
  readonly removedBytes: number
}

/** Says that it is used now; what has gone meanwhile is made again. */
export async function markUsed(path: string): Promise<void> {
  const now = new Date()
  await utimes(path, now, now).catch(() => {})
}

/** @param nowMs epoch milliseconds */
export async function pruneLayers(
  directory: string,
  { nowMs, dryRun = false }: { readonly nowMs: number; readonly dryRun?: boolean },
): Promise<PrunedLayers> {
  let [bytes, removedBytes] = [0, 0]
  for (const paths of (await thingsIn(directory)).values()) {
    const size = (await Promise.all(paths.map(bytesOf))).reduce((sum, each) => sum + each, 0)
    bytes += size
    // Looked at last, since a build may just begin to use it.
    if (await isUsedSince(paths, nowMs - unusedMs)) continue
    removedBytes += size
    if (!dryRun) for (const path of paths) await rm(path, { recursive: true, force: true })
  }
  return { bytes, removedBytes }
}

/** What belongs together: a layer and what is known of it have one name. What is being made is none of it. */
async function thingsIn(directory: string): Promise<Map<string, string[]>> {
  const names = (await namesIn(directory)).filter(name => !name.startsWith('making-') && name !== 'base')
  const base = (await namesIn(join(directory, 'base'))).filter(name => name !== 'names').map(name => join('base', name))
  return Map.groupBy(
    [...names, ...base].map(name => join(directory, name)),
    path => path.replace(/\.(?:tar|json)$/, '').replace(/dockerfile-run$/, 'dockerfile'),
  )
}

async function isUsedSince(paths: readonly string[], sinceMs: number): Promise<boolean> {
  const found = await Promise.all(paths.map(path => lstat(path).catch(() => undefined)))
  // Folders are read when somebody wants to know how large they are.
  return found.some(
    stat => stat !== undefined && Math.max(stat.mtimeMs, stat.isDirectory() ? 0 : stat.atimeMs) > sinceMs,
  )
}

async function bytesOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return 0
  if (!found.isDirectory()) return found.blocks * 512
  const sizes = await Promise.all((await namesIn(path)).map(name => bytesOf(join(path, name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
