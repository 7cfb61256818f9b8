// The CRI log format: `time stream tag content`, tag F for a full line and P for a part of a long one.

export interface LogLine {
  /** As written: RFC 3339 with nanoseconds. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  readonly partial: boolean
  /** Without the line's end. */
  readonly content: Buffer
}

const space = 0x20

/** Undefined for a line that is not in the format (torn by a crash). */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(space)
  const second = line.indexOf(space, first + 1)
  const third = line.indexOf(space, second + 1)
  if (first < 0 || second < 0) return undefined
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const tagEnd = third < 0 ? line.length : third
  return {
    time: line.toString('latin1', 0, first),
    stream,
    partial: line[second + 1] === 0x50,
    content: third < 0 ? Buffer.alloc(0) : line.subarray(tagEnd + 1),
  }
}
