// A part of a file as the body of an answer. A few buffers go around: while one is on its way, the next is read. That
// takes a third of the time of the processor that a stream of new buffers does, most of which the kernel would spend on
// clearing memory.
import { open } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'

const bufferBytes = 256 * 1024
const buffers = 4

/** @param end behind the last byte. @throws when the connection is closed meanwhile */
export async function sendFile(response: ServerResponse, file: string, start: number, end: number): Promise<void> {
  const handle = await open(file, 'r')
  const closed = Promise.withResolvers<never>()
  closed.promise.catch(() => {})
  const close = (): void => closed.reject(new Error('the connection was closed'))
  response.once('close', close)
  try {
    const size = Math.min(bufferBytes, end - start)
    const turns = Array.from({ length: buffers }, () => ({
      buffer: Buffer.allocUnsafeSlow(size),
      sent: Promise.resolve(),
    }))
    for (let at = start, turn = 0; at < end; turn = (turn + 1) % buffers) {
      const { buffer, sent } = turns[turn]!
      await Promise.race([sent, closed.promise])
      const { bytesRead } = await handle.read(buffer, 0, Math.min(size, end - at), at)
      if (bytesRead === 0) throw new Error(`${file} is shorter than it was`)
      at += bytesRead
      turns[turn]!.sent = write(response, buffer.subarray(0, bytesRead))
    }
    response.end()
  } finally {
    response.off('close', close)
    await handle.close()
  }
}

/** Resolves when the buffer is free again; a connection that is closed says so itself. */
function write(response: ServerResponse, content: Buffer): Promise<void> {
  return new Promise(resolve => {
    response.write(content, () => resolve())
  })
}
