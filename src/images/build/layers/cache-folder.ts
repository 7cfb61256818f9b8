// The folder in which layers are kept between builds. What is being made is in a folder of its own beside them, and
// gets its place when it is whole; what killed builds left half-made goes with the next one.
import { rmSync } from 'node:fs'
import { mkdtemp, readdir, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../../host/make-folder.ts'
import { isGone, processMark } from '../../../host/process-mark.ts'
import { BuildError } from '../build-error.ts'

/** @throws BuildError when nothing can be kept there */
export async function prepareCache(directory: string): Promise<void> {
  try {
    makeFolder(directory, 0o700)
    // Whether something can be made in it, only making something tells, to root above all.
    await rmdir(await mkdtemp(join(directory, makingName())))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC') throw error
    throw new BuildError(
      `the folder ${directory}, where layers are kept, cannot be written (${code}); name another one with XDG_CACHE_HOME`,
    )
  }
  await removeLeftovers(directory)
}

const makingName = (): string => `making-${processMark()}.`
/** No build takes that long. */
const longMs = 24 * 3_600_000

/** What builds that were killed had begun; one that runs elsewhere, with the same folder, keeps what it has. */
async function removeLeftovers(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter(name => name.startsWith('making-'))
  await Promise.all(
    names.map(async name => {
      const place = join(directory, name)
      const [mark = ''] = name.slice('making-'.length).split('.')
      if (isGone(mark) ?? (await isOld(place))) await rm(place, { recursive: true, force: true })
    }),
  )
}

async function isOld(place: string): Promise<boolean> {
  const found = await stat(place).catch(() => undefined)
  return found !== undefined && found.mtimeMs < Date.now() - longMs
}

/** What this process works on; it goes when the process ends in the midst of it. */
const begun = new Set<string>()
process.once('exit', () => begun.forEach(making => rmSync(making, { recursive: true, force: true })))

/** The folder is there as long as the work goes on. */
export async function whileMaking<T>(cacheDirectory: string, work: (making: string) => Promise<T>): Promise<T> {
  const making = await mkdtemp(join(cacheDirectory, makingName()))
  begun.add(making)
  try {
    return await work(making)
  } finally {
    // What else goes on in it, when one part has failed, may still write.
    await rm(making, { recursive: true, force: true, maxRetries: 5 })
    begun.delete(making)
  }
}
