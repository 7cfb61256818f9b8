// A backup of the SQLite store in one file: a consistent copy of the database, taken while it is in use,
// with other files of the cluster in a table beside the objects.
import { closeSync, copyFileSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StoreFailure } from './store.ts'

export interface BackupFile {
  /** Relative path. */
  readonly name: string
  readonly content: Uint8Array
}

/**
 * Revisions go on this much later after a restore, so that none is used twice and clients that have seen
 * newer ones are told to read again.
 */
const revisionGap = 1_000_000

/** @param target must not exist */
export function writeBackup(database: string, target: string, files: readonly BackupFile[]): void {
  const source = new DatabaseSync(database, { readOnly: true, timeout: 10_000 })
  try {
    source.prepare('VACUUM INTO ?').run(target)
  } finally {
    source.close()
  }
  withDatabase(target, copy => {
    copy.exec('CREATE TABLE backup_files (name TEXT PRIMARY KEY, content BLOB NOT NULL)')
    const add = copy.prepare('INSERT INTO backup_files VALUES (?, ?)')
    for (const { name, content } of files) add.run(name, content)
  })
  synchronize(target)
}

/** @returns the files in a backup that is whole. @throws StoreFailure when it is damaged or none */
export function readBackup(backup: string): {
  readonly files: BackupFile[]
  readonly keys: number
  readonly revision: number
} {
  try {
    return withDatabase(
      backup,
      database => {
        const [verdict] = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
        if (verdict?.integrity_check !== 'ok') throw new Error(verdict?.integrity_check)
        const files = database.prepare('SELECT name, content FROM backup_files').all() as unknown as BackupFile[]
        const { keys, lost } = database
          .prepare(
            'SELECT count(*) AS keys, sum(log.revision IS NULL) AS lost FROM current LEFT JOIN log ON log.revision = current.revision',
          )
          .get() as { keys: number; lost: number | null }
        if (lost) throw new Error(`${lost} objects have no value`)
        return { files, keys, revision: newestRevision(database) }
      },
      true,
    )
  } catch (error) {
    throw new StoreFailure(
      `${backup} is no backup of a cluster, or is damaged (${(error as Error).message}); nothing was changed`,
    )
  }
}

/** Makes a database out of a backup; history starts anew. */
export function restoreDatabase(backup: string, database: string): void {
  rmSync(database, { force: true })
  copyFileSync(backup, database)
  withDatabase(database, copy => {
    const revision = newestRevision(copy) + revisionGap
    copy.exec(`
      BEGIN;
      DROP TABLE backup_files;
      DELETE FROM log WHERE revision NOT IN (SELECT revision FROM current);
      UPDATE facts SET value = ${revision} WHERE name IN ('revision', 'compacted');
      COMMIT;`)
  })
  synchronize(database)
}

function newestRevision(database: DatabaseSync): number {
  const { newest } = database
    .prepare(
      "SELECT max((SELECT coalesce(max(revision), 0) FROM log), (SELECT value FROM facts WHERE name = 'revision')) AS newest",
    )
    .get() as { newest: number }
  return newest
}

function withDatabase<T>(file: string, work: (database: DatabaseSync) => T, readOnly = false): T {
  const database = new DatabaseSync(file, { readOnly })
  try {
    return work(database)
  } finally {
    database.close()
  }
}

function synchronize(file: string): void {
  const descriptor = openSync(file, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
