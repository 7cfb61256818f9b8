// Reads a container's log file as `kubectl logs` wants it: the last lines, since a time, with time stamps,
// up to a number of bytes, one stream only, and following until the container ends. Following waits for
// the file system to report a change.
import { open, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { watchDirectory } from '../host/watch-directory.ts'
import type { LogOptions } from '../streams/node-streams.ts'
import { parseLogLine } from './log-line.ts'

export interface LogFollow {
  /** False once nothing more will be written. */
  readonly isRunning: () => boolean
  /** Calls back when that may have changed; returns how to stop. */
  readonly onChange: (listener: () => void) => () => void
}

const chunkBytes = 65_536
const newline = 0x0a

export async function* readLog(
  file: string,
  options: LogOptions,
  nowMs: number,
  follow?: LogFollow,
): AsyncGenerator<Buffer> {
  const formatter = new LineFormatter(options, nowMs)
  const changes = follow === undefined ? undefined : new Changes(file, follow)
  let handle = await open(file)
  try {
    let position = options.tailLines === undefined ? 0 : await tailOffset(handle, options.tailLines)
    let rest = Buffer.alloc(0)
    for (;;) {
      // Asked before reading: what is written until then is read below.
      const last = follow === undefined || !follow.isRunning()
      changes?.reset()
      for await (const chunk of chunksFrom(handle, position)) {
        position += chunk.length
        const { lines, remainder } = splitLines(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
        rest = Buffer.from(remainder)
        const output = formatter.format(lines)
        if (output.length > 0) yield output
        if (formatter.isFull) return
      }
      const next = await rotated(file, handle)
      if (next !== undefined) {
        await handle.close()
        handle = next
        position = 0
        rest = Buffer.alloc(0)
      } else if (last) return
      else await changes!.next()
    }
  } finally {
    changes?.close()
    await handle.close()
  }
}

async function* chunksFrom(handle: FileHandle, start: number): AsyncGenerator<Buffer> {
  for (let position = start; ;) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

function splitLines(bytes: Buffer): { lines: Buffer[]; remainder: Buffer } {
  const lines: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return { lines, remainder: bytes.subarray(start) }
}

/** Where the last `count` lines begin, found from the end. */
export async function tailOffset(handle: FileHandle, count: number): Promise<number> {
  const { size } = await handle.stat()
  if (count <= 0) return size
  let missing = count + 1
  const buffer = Buffer.allocUnsafe(chunkBytes)
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunkBytes)
    const { bytesRead } = await handle.read(buffer, 0, end - start, start)
    for (let index = bytesRead - 1; index >= 0; index--) {
      if (buffer[index] !== newline) continue
      missing -= 1
      if (missing === 0) return start + index + 1
    }
    end = start
  }
  return 0
}

/** The new file when the old one was renamed away. */
async function rotated(file: string, handle: FileHandle): Promise<FileHandle | undefined> {
  const [current, own] = await Promise.all([stat(file).catch(() => undefined), handle.stat()])
  return current === undefined || current.ino === own.ino ? undefined : await open(file)
}

class LineFormatter {
  isFull = false
  private readonly options: LogOptions
  private readonly sinceMs: number
  private remainingBytes: number
  private atLineStart = true

  constructor(options: LogOptions, nowMs: number) {
    this.options = options
    this.remainingBytes = options.limitBytes ?? Infinity
    this.sinceMs =
      options.sinceTime !== undefined
        ? Date.parse(options.sinceTime)
        : options.sinceSeconds === undefined
          ? -Infinity
          : nowMs - options.sinceSeconds * 1_000
  }

  format(lines: readonly Buffer[]): Buffer {
    const parts: Buffer[] = []
    for (const bytes of lines) {
      const line = parseLogLine(bytes)
      if (
        line === undefined ||
        !this.isWanted(line.stream) ||
        (this.sinceMs !== -Infinity && Date.parse(line.time) < this.sinceMs)
      )
        continue
      if (this.options.timestamps === true && this.atLineStart) parts.push(Buffer.from(`${line.time} `))
      parts.push(line.content)
      if (!line.partial) parts.push(lineEnd)
      this.atLineStart = !line.partial
    }
    const output = Buffer.concat(parts)
    if (output.length < this.remainingBytes) {
      this.remainingBytes -= output.length
      return output
    }
    this.isFull = true
    return output.subarray(0, this.remainingBytes)
  }

  private isWanted(stream: 'stdout' | 'stderr'): boolean {
    const wanted = this.options.stream ?? 'All'
    return wanted === 'All' || wanted.toLowerCase() === stream
  }
}

const lineEnd = Buffer.from('\n')

/** Waits for the file, its directory (rotation) or the container to change. */
class Changes {
  private signal = Promise.withResolvers<void>()
  private readonly stops: (() => void)[]

  constructor(file: string, follow: LogFollow) {
    const name = basename(file)
    const signal = (): void => this.signal.resolve()
    const watcher = watchDirectory(
      dirname(file),
      changed => {
        if (changed === null || changed === name) signal()
      },
      signal,
    )
    this.stops = [() => watcher.close(), follow.onChange(signal)]
  }

  reset(): void {
    this.signal = Promise.withResolvers<void>()
  }

  next(): Promise<void> {
    return this.signal.promise
  }

  close(): void {
    for (const stop of this.stops) stop()
    this.signal.resolve()
  }
}
