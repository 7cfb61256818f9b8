// All keys below a prefix, as lines of JSON: Redis has no program that copies a part of a server. Values are as `DUMP`
// gives them, and keys stand without the prefix, so that they can be brought to another one.
import type { Readable, Writable } from 'node:stream'
import { linesOf, writeLines } from '../backup-lines.ts'
import { dialect, type Session } from './session.ts'

const kind = { type: 'redis', title: dialect.title } as const

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

export const writeKeys = (session: Session, prefix: string, to: Writable): Promise<void> =>
  writeLines(kind, to, async write => {
    const binary = await bytesOf(session)
    const start = Buffer.byteLength(prefix)
    const valueOf = async (key: Buffer): Promise<[Buffer | null, number]> =>
      Promise.all([binary.sendCommand(['DUMP', key]), binary.sendCommand(['PTTL', key])]) as Promise<never>
    for await (const keys of keysBelow(session, prefix)) {
      const values = await Promise.all(keys.map(valueOf))
      for (const [index, [value, ttl]] of values.entries()) {
        // It has gone meanwhile.
        if (value === null) continue
        const line: Line = {
          key: keys[index]!.subarray(start).toString('base64'),
          value: value.toString('base64'),
          ttlMs: Math.max(ttl, 0),
        }
        await write(JSON.stringify(line))
      }
    }
  })

/**
 * All of them wait in the server's last database until the last one is there; then they take the place of the old ones at
 * once. Who is interrupted leaves those that wait to the next one.
 */
export async function replaceKeys(session: Session, prefix: string, from: Readable): Promise<void> {
  const waiting = waitingFor(prefix)
  const names: Buffer[] = []
  await removeWaiting(session, prefix)
  const spare = await spareDatabase(session)
  try {
    await inDatabase(session, spare, async () => {
      for await (const lines of inLots(linesOf(kind, from))) {
        const read = lines.map(text => JSON.parse(text) as Line)
        await Promise.all(
          read.map(({ key, value, ttlMs }) => {
            const name = Buffer.concat([waiting, Buffer.from(key, 'base64')])
            return session.sendCommand(['RESTORE', name, String(ttlMs), Buffer.from(value, 'base64')])
          }),
        )
        names.push(...read.map(({ key }) => Buffer.from(key, 'base64')))
      }
    })
    const old: Buffer[] = []
    for await (const keys of keysBelow(session, prefix)) old.push(...keys)
    const goal = Buffer.from(prefix)
    await atOnce(session, [
      ...old.map(key => ['UNLINK', key]),
      ...names.map(name => {
        const [from, to] = [waiting, goal].map(before => Buffer.concat([before, name]))
        return ['EVAL', takePlace, '2', from!, to!, String(spare), String(own)]
      }),
    ])
  } catch (error) {
    await removeWaiting(session, prefix).catch(() => {})
    throw error
  }
}

async function atOnce(session: Session, commands: readonly (readonly (string | Buffer)[])[]): Promise<void> {
  const asked = [['MULTI'], ...commands, ['EXEC']].map(command => session.sendCommand(command))
  const results = (await Promise.all(asked)).at(-1)
  for (const result of results as unknown as unknown[]) if (result instanceof Error) throw result
}

/** Those that an interrupted one left. */
export const removeWaiting = async (session: Session, prefix: string): Promise<void> =>
  inDatabase(session, await spareDatabase(session), async () => {
    await removeKeys(session, String(waitingFor(prefix)))
  })

/** One whose time has run out while it waited is not there any more. */
const takePlace = `
redis.call('SELECT', ARGV[1])
if ARGV[1] ~= ARGV[2] then redis.call('MOVE', KEYS[1], ARGV[2]) end
redis.call('SELECT', ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end`

const waitingFor = (prefix: string): Buffer => Buffer.from(`sampan.restoring:${prefix}:`)

/** Where services have their keys. */
const own = 0

/** Their own where there is no other one, or nobody may ask. */
async function spareDatabase(session: Session): Promise<number> {
  const found = await session.configGet('databases').catch(() => ({ databases: '1' }))
  return Number(found['databases']) - 1
}

async function inDatabase(session: Session, database: number, use: () => Promise<void>): Promise<void> {
  await session.sendCommand(['SELECT', String(database)])
  try {
    await use()
  } finally {
    await session.sendCommand(['SELECT', String(own)])
  }
}

async function* inLots<T>(all: AsyncIterable<T>): AsyncGenerator<T[]> {
  let lot: T[] = []
  for await (const one of all) {
    lot.push(one)
    if (lot.length < atATime) continue
    yield lot
    lot = []
  }
  yield lot
}

async function bytesOf(session: Session): Promise<Pick<Session, 'sendCommand'>> {
  const { RESP_TYPES } = await import('./library.ts')
  return session.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }) as unknown as Session
}
