// A dump that a program of the field wrote, on its way back: looked at where it begins, before anything is asked of the
// server, and where it ends, so that what was cut off is not taken for all of it.
import type { Readable } from 'node:stream'
import { ServiceFailure } from './backing-service.ts'

export interface DumpMarks {
  /** As `PostgreSQL`. */
  readonly title: string
  /** Within the first and the last bytes. */
  readonly begins: RegExp
  readonly ends: RegExp
}

/** Comments of the programs are shorter. */
const lookedAt = 4096

/** @throws ServiceFailure when it does not begin as it should; what comes out fails when it does not end so */
export async function wholeDump(from: Readable, { title, begins, ends }: DumpMarks): Promise<AsyncIterable<Buffer>> {
  const chunks = (from as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  let first = Buffer.alloc(0)
  while (first.length < lookedAt) {
    const { value, done } = await chunks.next()
    if (done) break
    first = Buffer.concat([first, value])
  }
  if (!begins.test(first.subarray(0, lookedAt).toString())) throw noBackup(title, first)
  return (async function* () {
    yield first
    let last = first.subarray(-lookedAt)
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      last = Buffer.concat([last, next.value]).subarray(-lookedAt)
      yield next.value
    }
    if (!ends.test(last.toString())) throw cutOff(title)
  })()
}

export function noBackup(title: string, first: Buffer | string): ServiceFailure {
  const line = String(first).trimStart().split('\n', 1)[0]!.slice(0, 60)
  const found = line === '' ? 'nothing' : `something that begins with ${JSON.stringify(line)}`
  return new ServiceFailure(
    `expected a backup of ${title} as \`sampan data backup\` writes it, found ${found}; nothing was changed`,
  )
}

export const cutOff = (title: string): ServiceFailure =>
  new ServiceFailure(`the backup of ${title} has no end, so it was cut off; take another one`)
