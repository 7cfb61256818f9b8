// All keys below a prefix, as lines of JSON: Redis has no program that copies a part of a server. Values are as `DUMP`
// gives them, and keys stand without the prefix, so that they can be brought to another one.
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Session } from './session.ts'

interface Line {
  /** Base64. */
  readonly key: string
  readonly value: string
  /** Time left to it; 0: for ever. */
  readonly ttlMs: number
}

const atATime = 200

/** Of each prefix: what Redis' patterns would read otherwise is taken literally. */
export const patternOf = (prefix: string): string => `${prefix.replaceAll(/[*?[\]\\^]/g, String.raw`\$&`)}*`

export async function* keysBelow(session: Session, prefix: string): AsyncGenerator<Buffer[]> {
  const binary = await bytesOf(session)
  let cursor = '0'
  do {
    const [next, keys] = (await binary.sendCommand([
      'SCAN',
      cursor,
      'MATCH',
      patternOf(prefix),
      'COUNT',
      String(atATime),
    ])) as unknown as [Buffer, Buffer[]]
    if (keys.length > 0) yield keys
    cursor = String(next)
  } while (cursor !== '0')
}

export async function removeKeys(session: Session, prefix: string): Promise<number> {
  let count = 0
  for await (const keys of keysBelow(session, prefix)) {
    await session.sendCommand(['UNLINK', ...keys])
    count += keys.length
  }
  return count
}

export async function writeKeys(session: Session, prefix: string, to: Writable): Promise<void> {
  const binary = await bytesOf(session)
  const start = Buffer.byteLength(prefix)
  for await (const keys of keysBelow(session, prefix))
    for (const key of keys) {
      const [value, ttl] = (await Promise.all([
        binary.sendCommand(['DUMP', key]),
        binary.sendCommand(['PTTL', key]),
      ])) as unknown as [Buffer | null, number]
      // It has gone meanwhile.
      if (value === null) continue
      const line: Line = {
        key: key.subarray(start).toString('base64'),
        value: value.toString('base64'),
        ttlMs: Math.max(ttl, 0),
      }
      if (!to.write(`${JSON.stringify(line)}\n`)) await new Promise(resolve => to.once('drain', resolve))
    }
  to.end()
  await finished(to, { readable: false })
}

export async function readKeys(session: Session, prefix: string, from: Readable): Promise<void> {
  for await (const text of createInterface({ input: from })) {
    const { key, value, ttlMs } = JSON.parse(text) as Line
    const name = Buffer.concat([Buffer.from(prefix), Buffer.from(key, 'base64')])
    await session.sendCommand(['RESTORE', name, String(ttlMs), Buffer.from(value, 'base64'), 'REPLACE'])
  }
}

async function bytesOf(session: Session): Promise<Pick<Session, 'sendCommand'>> {
  const { RESP_TYPES } = await import('redis')
  return session.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }) as unknown as Session
}
