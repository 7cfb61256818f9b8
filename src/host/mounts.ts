// Mounts: what is mounted below a directory, tmpfs for volumes in memory, and taking it all away again.
import { readFileSync, realpathSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { run } from './command.ts'

/** Mount points at or below `directory`, deepest last, as the kernel names them: without links. */
export function mountsBelow(directory: string, mountInfo = readFileSync('/proc/self/mountinfo', 'utf8')): string[] {
  const real = withoutLinks(directory)
  return mountInfo
    .split('\n')
    .map(line => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter(point => point === real || point.startsWith(`${real}/`))
}

/** A directory that is gone has no links. */
function withoutLinks(directory: string): string {
  try {
    return realpathSync(directory)
  } catch {
    return directory
  }
}

/** Whether another file system than that of the directory above is there; false where there is nothing. */
export async function isMountPoint(directory: string): Promise<boolean> {
  const [own, above] = await Promise.all(
    [directory, dirname(directory)].map(path =>
      stat(path).then(
        ({ dev }) => dev,
        () => undefined,
      ),
    ),
  )
  return own !== undefined && own !== above
}

/** The kernel writes blanks and backslashes as `\040`. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\(\d{3})/g, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

export async function mountTmpfs(
  directory: string,
  options: { sizeBytes?: number; mode?: string } = {},
): Promise<void> {
  const flags = [
    ...(options.sizeBytes === undefined ? [] : [`size=${options.sizeBytes}`]),
    `mode=${options.mode ?? '0777'}`,
  ]
  await run('mount', ['-t', 'tmpfs', '-o', flags.join(','), 'tmpfs', directory])
}

/** Unmounts everything below the directory, in one go; busy mounts are detached lazily. The directory itself may be somebody's disk and stays. */
export async function unmountBelow(directory: string): Promise<void> {
  const real = withoutLinks(directory)
  const below = (): string[] => mountsBelow(real).filter(point => point !== real)
  const points = below().toReversed()
  if (points.length === 0) return
  await run('umount', ['-l', ...points]).catch((error: unknown) => {
    if (below().length > 0) throw error
  })
}
