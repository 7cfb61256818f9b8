// What a container wrote as its last words: its termination message file, or the end of its log when it
// failed and asked for that.
import { open, readFile } from 'node:fs/promises'
import type { Container } from '../api/generated/models.ts'
import { parseLogLine } from './log-line.ts'

const fileLimit = 4_096
const logLimitBytes = 2_048
const logLimitLines = 80

export async function terminationMessage(
  container: Container,
  exitCode: number,
  messageFile: string,
  logFile: string,
): Promise<string> {
  const written = await readFile(messageFile).catch(() => Buffer.alloc(0))
  if (written.length > 0) return written.toString('utf8', 0, fileLimit)
  if (container.terminationMessagePolicy !== 'FallbackToLogsOnError' || exitCode === 0) return ''
  return await endOfLog(logFile)
}

async function endOfLog(logFile: string): Promise<string> {
  const handle = await open(logFile).catch(() => undefined)
  if (handle === undefined) return ''
  try {
    const { size } = await handle.stat()
    const wanted = Math.min(size, 4 * logLimitBytes)
    const { buffer } = await handle.read(Buffer.alloc(wanted), 0, wanted, size - wanted)
    const lines = buffer
      .toString()
      .split('\n')
      .slice(wanted < size ? 1 : 0)
      .filter(line => line !== '')
      .slice(-logLimitLines)
    const text = lines.map(line => parseLogLine(Buffer.from(line))?.content.toString() ?? '').join('\n')
    return `${text}\n`.slice(-logLimitBytes)
  } finally {
    await handle.close()
  }
}
