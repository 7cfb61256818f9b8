// A long answer in slices: the next one is made when the client has taken the one before, so that a big
// answer neither blocks the event loop nor stands in memory as a whole.
import type { Writable } from 'node:stream'

/** Bytes that go to the client at once. Larger buffers would each be mapped and unmapped by the system. */
const sliceBytes = 48 * 1024

/** Parts put together to slices. Each slice is valid until the next one is asked for. */
function* slicesOf(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  let space: Buffer | undefined
  let gathered: Uint8Array[] = []
  let size = 0
  for (const part of parts) {
    if (size > 0 && size + part.length > sliceBytes) {
      // One space for all slices: thus a long answer leaves nothing to be collected.
      space ??= Buffer.allocUnsafeSlow(sliceBytes)
      yield joined(gathered, space)
      gathered = []
      size = 0
    }
    if (part.length > 0) gathered.push(part)
    size += part.length
  }
  if (size > 0) yield Buffer.concat(gathered, size)
}

function joined(parts: readonly Uint8Array[], space: Buffer): Uint8Array {
  if (parts.length === 1) return parts[0]!
  let used = 0
  for (const part of parts) {
    space.set(part, used)
    used += part.length
  }
  return space.subarray(0, used)
}

/**
 * @param response is where it goes in the end
 * @param sink is the same, or a stream that is piped into it
 * @returns whether everything was taken; false: the client left early, which is no fault
 */
export async function writeInSlices(
  response: Writable,
  parts: Iterable<Uint8Array>,
  sink: Writable = response,
): Promise<boolean> {
  if (response.destroyed) return false
  const left = new Promise<boolean>(resolve => response.once('close', () => resolve(false)))
  for (const slice of slicesOf(parts)) {
    if (sink.writableEnded) return false
    const taken = new Promise<boolean>(resolve => sink.write(slice, error => resolve(!error)))
    if (!(await Promise.race([left, taken]))) return false
  }
  return true
}
