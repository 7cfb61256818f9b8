// Reads a file while it is written, perhaps by another process: waits at its end for more. The last byte is given only
// when the writer says that all of it is as it should be, so nobody takes half of it for the whole.
import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

export type WriterState = 'writing' | 'whole' | 'broken'

const pollMs = 10
const readBytes = 1024 * 1024

export class BrokenOff extends Error {
  constructor(file: string) {
    super(`${file} was not written to its end`)
    this.name = 'BrokenOff'
  }
}

/**
 * @param end behind the last byte that is wanted
 * @param total of the whole file
 * @throws BrokenOff
 */
export async function* growingFile(
  file: string,
  { start, end, total }: { readonly start: number; readonly end: number; readonly total: number },
  state: () => Promise<WriterState>,
): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r')
  try {
    for (let at = start; at < end;) {
      // Asked before the read: what is whole is so to its end.
      const now = await state()
      if (now === 'broken') throw new BrokenOff(file)
      const until = now === 'whole' ? end : Math.min(end, total - 1)
      const wanted = Math.min(readBytes, until - at)
      const { bytesRead, buffer } =
        wanted <= 0
          ? { bytesRead: 0, buffer: Buffer.alloc(0) }
          : await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, at)
      at += bytesRead
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead)
      else if (now === 'whole') throw new BrokenOff(file)
      else await sleep(pollMs)
    }
  } finally {
    await handle.close()
  }
}
