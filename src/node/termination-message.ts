// What a container wrote as its last words: the end of its termination message file, or the end of its log when it
// failed and asked for that. Limits are bytes; a character that does not fit whole is left out.
// Source: pkg/kubelet/kuberuntime (getTerminationMessage, readLastStringFromContainerLogs).
import { open } from 'node:fs/promises'
import type { Container } from '../api/generated/models.ts'
import { readLog } from './log-reader.ts'

const fileLimitBytes = 4_096
const logLimitBytes = 2_048
/** As they stand in the log file, where a long line of the container is several. */
const logLimitLines = 80

export async function terminationMessage(
  container: Container,
  exitCode: number,
  messageFile: string,
  logFile: string,
): Promise<string> {
  const written = await endOfFile(messageFile)
  if (written.length > 0) return textOf(written)
  if (container.terminationMessagePolicy !== 'FallbackToLogsOnError' || exitCode === 0) return ''
  return textOf(await endOfLog(logFile))
}

async function endOfFile(file: string): Promise<Buffer> {
  const handle = await open(file).catch(() => undefined)
  if (handle === undefined) return Buffer.alloc(0)
  try {
    const { size } = await handle.stat()
    const start = Math.max(0, size - fileLimitBytes)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(fileLimitBytes), 0, fileLimitBytes, start)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function endOfLog(file: string): Promise<Buffer> {
  let end = Buffer.alloc(0)
  try {
    for await (const part of readLog(file, { tailLines: logLimitLines }, 0))
      end = Buffer.concat([end, part]).subarray(-logLimitBytes)
  } catch {
    // Without a log there are no words.
  }
  return end
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** Without the rest of a character that was cut off. */
function textOf(bytes: Buffer): string {
  let start = 0
  while (isContinuation(bytes[start])) start += 1
  return bytes.toString('utf8', start)
}
