// A log on disk, one entry a line, for its owner's eyes alone. A file that has grown to its size is put aside under the
// time it was closed at; old ones are deleted by number and age.
import { closeSync, openSync, readdirSync, renameSync, statSync, unlinkSync, write } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'

export interface LineFileOptions {
  readonly path: string
  /** 100 MB by default. */
  readonly maximumBytes?: number
  /** How many closed files are kept; 0: all. */
  readonly maximumBackups?: number
  /** How long closed files are kept; 0: for ever. */
  readonly maximumAgeMs?: number
}

export interface LineSink {
  append(line: string): void
  /** Resolves when everything is written. */
  close(): Promise<void>
}

const defaultBytes = 100 * 1024 * 1024

/** @throws Error when the file cannot be written */
export function openLineFile(options: LineFileOptions, clock: Clock, logger: Logger): LineSink {
  const { path, maximumBytes = defaultBytes } = options
  let file = openSync(path, 'a', 0o600)
  let size = statSync(path).size
  let waiting: string[] = []
  let writing: Promise<void> | undefined

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const bytes = Buffer.from(waiting.join(''))
      waiting = []
      try {
        if (size > 0 && size + bytes.length > maximumBytes) rotate()
        await writeAll(file, bytes)
        size += bytes.length
      } catch (error) {
        logger.error('lines of a log are lost', { path, error: String(error) })
      }
    }
    writing = undefined
  }

  function rotate(): void {
    closeSync(file)
    const extension = extname(path)
    const stamp = new Date(clock.now()).toISOString().replaceAll(':', '-').replace('Z', '')
    renameSync(path, `${path.slice(0, path.length - extension.length)}-${stamp}${extension}`)
    file = openSync(path, 'a', 0o600)
    size = 0
    removeOld(options, clock.now())
  }

  return {
    append(line) {
      waiting.push(`${line}\n`)
      writing ??= Promise.resolve().then(drain)
    },
    async close() {
      while (writing !== undefined) await writing
      closeSync(file)
    },
  }
}

function writeAll(file: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    write(file, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null) reject(error)
      else if (written < bytes.length) resolve(writeAll(file, bytes.subarray(written)))
      else resolve()
    })
  })
}

function removeOld({ path, maximumBackups = 0, maximumAgeMs = 0 }: LineFileOptions, nowMs: number): void {
  const extension = extname(path)
  const prefix = `${basename(path, extension)}-`
  const closed = readdirSync(dirname(path))
    .filter(name => name.startsWith(prefix) && name.endsWith(extension) && endOf(name) !== undefined)
    .sort()
    .toReversed()
  function endOf(name: string): number | undefined {
    const match = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(
      name.slice(prefix.length, name.length - extension.length),
    )
    return match === null ? undefined : Date.parse(`${match[1]}T${match[2]}:${match[3]}:${match[4]}Z`)
  }
  for (const [index, name] of closed.entries()) {
    if ((maximumBackups > 0 && index >= maximumBackups) || (maximumAgeMs > 0 && nowMs - endOf(name)! > maximumAgeMs))
      unlinkSync(join(dirname(path), name))
  }
}
