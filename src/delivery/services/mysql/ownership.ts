// Who a user or a database is made for stands in a table of ours on the server itself: MySQL has no comment that both
// have, and takes nothing back. So a line is written before something is made, and what has just been made looks like
// nothing that anybody else makes, until the line says that it is ours; a line that does not say so, beside a thing
// that looks like any other, says nothing about it.
import { randomInt } from 'node:crypto'
import { codeOf } from '../server-access.ts'
import type { Session } from './session.ts'

const place = '`sampan_owners`'
const table = `${place}.\`owned\``

export interface Thing {
  readonly kind: 'user' | 'database'
  readonly name: string
  /** Whether there is something of that name, whoever made it. */
  exists(): Promise<boolean>
  /** Whether it looks as what `make` has made, and `finish` has not changed yet. */
  looksUnfinished(mark: number): Promise<boolean>
  make(mark: number): Promise<void>
  finish(): Promise<void>
  drop(): Promise<void>
}

interface Line {
  readonly owner: string
  readonly mark: number
  readonly made: number
}

export async function prepare(session: Session): Promise<void> {
  await session.query(`CREATE DATABASE IF NOT EXISTS ${place} CHARACTER SET utf8mb4`)
  await session.query(
    `CREATE TABLE IF NOT EXISTS ${table} (kind varchar(16) NOT NULL, name varchar(128) COLLATE utf8mb4_bin NOT NULL, owner varchar(512) COLLATE utf8mb4_bin NOT NULL, mark int unsigned NOT NULL, made bool NOT NULL, PRIMARY KEY (kind, name))`,
  )
}

/** @returns undefined: it is somebody else's */
export async function ensureOurs(session: Session, thing: Thing, owner: string): Promise<'made' | 'there' | undefined> {
  const key = [thing.kind, thing.name]
  if (await thing.exists()) {
    const line = await lineOf(session, thing)
    if (line?.owner !== owner) return undefined
    const isUnfinished = await thing.looksUnfinished(line.mark)
    if (!isUnfinished && line.made === 1) return 'there'
    if (!isUnfinished) {
      await session.query(`DELETE FROM ${table} WHERE kind = ? AND name = ?`, key)
      return undefined
    }
  } else {
    // The limits of users have 32 bits.
    const mark = randomInt(1_000_000_000, 2 ** 31)
    await session.query(`REPLACE INTO ${table} VALUES (?, ?, ?, ?, 0)`, [...key, owner, mark])
    await thing.make(mark)
  }
  await session.query(`UPDATE ${table} SET made = 1 WHERE kind = ? AND name = ?`, key)
  await thing.finish()
  return 'made'
}

/** @returns whether there was something of ours */
export async function dropOurs(session: Session, thing: Thing, owner: string): Promise<boolean> {
  const line = await lineOf(session, thing)
  if (line?.owner !== owner) return false
  const isOurs = (await thing.exists()) && (line.made === 1 || (await thing.looksUnfinished(line.mark)))
  if (isOurs) await thing.drop()
  await session.query(`DELETE FROM ${table} WHERE kind = ? AND name = ?`, [thing.kind, thing.name])
  return isOurs
}

async function lineOf(session: Session, { kind, name }: Thing): Promise<Line | undefined> {
  try {
    return await session.first<Line>(`SELECT owner, mark, made FROM ${table} WHERE kind = ? AND name = ?`, [kind, name])
  } catch (error) {
    // Nothing has ever been made here.
    if (['ER_NO_SUCH_TABLE', 'ER_BAD_DB_ERROR'].includes(codeOf(error))) return undefined
    throw error
  }
}
