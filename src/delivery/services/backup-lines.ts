// Backups that are lines of JSON: the first line says of what, the last one that nothing is missing.
import type { Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { finished } from 'node:stream/promises'
import type { BackingServiceType } from '../manifest/manifest.ts'
import { cutOff, noBackup } from './whole-dump.ts'

interface Kind {
  readonly type: BackingServiceType
  readonly title: string
}

const firstLine = ({ type }: Kind): string => JSON.stringify({ backupOf: type })
const lastLine = JSON.stringify({ complete: true })

/** @param write writes lines, and waits where the stream is full */
export async function writeLines(
  kind: Kind,
  to: Writable,
  fill: (write: (line: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  async function write(line: string): Promise<void> {
    if (!to.write(`${line}\n`)) await new Promise(resolve => to.once('drain', resolve))
  }
  await write(firstLine(kind))
  await fill(write)
  to.end(`${lastLine}\n`)
  await finished(to, { readable: false })
}

/** @throws ServiceFailure when it is no such backup, or not all of it */
export async function* linesOf(kind: Kind, from: Readable): AsyncGenerator<string> {
  let before: string | undefined
  let isFirst = true
  for await (const line of linesIn(from)) {
    if (isFirst && line !== firstLine(kind)) throw noBackup(kind.title, line)
    // The last one that there is may be only half of one.
    if (before !== undefined) yield before
    before = isFirst ? undefined : line
    isFirst = false
  }
  if (isFirst) throw noBackup(kind.title, '')
  if (before !== lastLine) throw cutOff(kind.title)
}

/** Fails when the stream does, which `readline` would not. */
async function* linesIn(from: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder()
  let rest: string[] = []
  for await (const chunk of from as AsyncIterable<Buffer>) {
    const [first = '', ...others] = decoder.write(chunk).split('\n')
    rest.push(first)
    if (others.length === 0) continue
    yield rest.join('')
    yield* others.slice(0, -1)
    rest = [others.at(-1)!]
  }
  const last = rest.join('')
  if (last !== '') yield last
}
