// The thread that owns the SQLite database, so that an fsync never blocks the event loop. The log table
// holds every write still in history; `current` points from each live key to its row in the log.
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { collectThoroughly } from '../host/collect-garbage.ts'
import { CompactedError, type Entry } from './store.ts'
import type {
  HistoryAnswer,
  LoggedWrite,
  RangeAnswer,
  WorkerAnswer,
  WorkerHello,
  WorkerRequest,
  WriteAnswer,
  WriteBatch,
} from './sqlite-messages.ts'

/** Revisions that one step of compaction works off: a few milliseconds. */
const compactionStep = 1000

/** Writes after which a checkpoint is worth its time, and how long there must be none before it. */
const worthCheckpoint = 500
const idleMs = 1000

const port = parentPort!
const { file } = workerData as { file: string }

function open(): DatabaseSync {
  const database = new DatabaseSync(file)
  // Under load a checkpoint comes every 64 MB at the latest (wal_autocheckpoint). What compaction frees goes
  // back to the disk (incremental_vacuum), and so does a write-ahead log that one large transaction made long
  // (journal_size_limit).
  database.exec(`
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 16000;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA cache_size = -4000;
    CREATE TABLE IF NOT EXISTS log (revision INTEGER PRIMARY KEY, previous INTEGER NOT NULL, key TEXT NOT NULL, value BLOB);
    CREATE INDEX IF NOT EXISTS log_by_key ON log (key, revision);
    CREATE TABLE IF NOT EXISTS current (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT OR IGNORE INTO facts VALUES ('compacted', 0), ('format', 1), ('revision', 1);`)
  return database
}

/** The least text greater than every text with the prefix; prefixes here are ASCII paths. */
const afterPrefix = (prefix: string): string =>
  prefix === '' ? '\u{10FFFF}' : prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)

function serve(database: DatabaseSync): void {
  const findCurrent = database.prepare('SELECT revision FROM current WHERE key = ?')
  const readLog = database.prepare('SELECT key, value, revision FROM log WHERE revision = ?')
  const addToLog = database.prepare('INSERT INTO log (revision, previous, key, value) VALUES (?, ?, ?, ?)')
  const setCurrent = database.prepare(
    'INSERT INTO current (key, revision) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision',
  )
  const dropCurrent = database.prepare('DELETE FROM current WHERE key = ?')
  const countCurrent = database.prepare('SELECT count(*) AS n FROM current WHERE key >= ? AND key < ?')
  const rangeCurrent = database.prepare(
    'SELECT log.key, log.value, log.revision FROM current JOIN log ON log.revision = current.revision WHERE current.key >= ? AND current.key < ? ORDER BY current.key LIMIT ?',
  )
  const rangePast = database.prepare(`SELECT key, value, revision FROM log WHERE revision IN
    (SELECT max(revision) FROM log WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key) AND value IS NOT NULL ORDER BY key`)
  const readHistory = database.prepare(
    'SELECT revision, previous AS previousRevision, key, value FROM log WHERE revision > ? AND revision <= ? ORDER BY revision',
  )
  const readRecent =
    database.prepare(`SELECT log.revision, log.previous AS previousRevision, log.key, log.value, before.value AS previousValue
    FROM log LEFT JOIN log AS before ON before.revision = log.previous WHERE log.revision > ? AND log.revision <= ? ORDER BY log.revision`)
  const dropReplaced = database.prepare(
    'DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE revision > ? AND revision <= ? AND previous > 0)',
  )
  const dropDeletions = database.prepare('DELETE FROM log WHERE revision > ? AND revision <= ? AND value IS NULL')
  const fact = (name: string): number =>
    (database.prepare('SELECT value FROM facts WHERE name = ?').get(name) as { value: number }).value
  const setFact = database.prepare('UPDATE facts SET value = ? WHERE name = ?')

  const newestLogged =
    (database.prepare('SELECT max(revision) AS newest FROM log').get() as { newest: number | null }).newest ?? 0
  let revision = Math.max(newestLogged, fact('revision'))
  let compacted = fact('compacted')

  const entryAt = (atRevision: number): Entry => readLog.get(atRevision) as unknown as Entry

  /** @returns the new revision; 0 when the key has another one than expected */
  function writeOne(key: string, value: Uint8Array | undefined, expectedRevision: number, found: number): number {
    if (found !== expectedRevision || (value === undefined && found === 0)) return 0
    revision++
    addToLog.run(revision, expectedRevision, key, value ?? null)
    if (value === undefined) dropCurrent.run(key)
    else setCurrent.run(key, revision)
    return revision
  }

  function write({ keys, expectedRevisions, lengths, values }: WriteBatch): WriteAnswer {
    const current = new Map<number, Entry | undefined>()
    let at = 0
    const revisions = keys.map((key, index) => {
      const length = lengths[index]!
      const value = length < 0 ? undefined : values.subarray(at, at + length)
      at += Math.max(0, length)
      const found = (findCurrent.get(key) as { revision: number } | undefined)?.revision ?? 0
      const written = writeOne(key, value, expectedRevisions[index]!, found)
      if (written === 0) current.set(index, found === 0 ? undefined : entryAt(found))
      return written
    })
    return { revisions, current }
  }

  function inTransaction<T>(work: () => T): T {
    const before = revision
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      revision = before
      // After some failures (a full disk) SQLite has rolled back already.
      try {
        database.exec('ROLLBACK')
      } catch {}
      throw error
    }
  }

  /** The last count is kept: pages of one list ask for it again and again. */
  let counted = { prefix: '', revision: 0, count: 0 }
  function countOf(prefix: string, end: string): number {
    if (counted.prefix !== prefix || counted.revision !== revision)
      counted = { prefix, revision, count: (countCurrent.get(prefix, end) as { n: number }).n }
    return counted.count
  }

  function range(request: Extract<WorkerRequest, { type: 'range' }>): RangeAnswer {
    const end = afterPrefix(request.prefix)
    const from = request.from !== undefined && request.from > request.prefix ? request.from : request.prefix
    if (request.revision === undefined || request.revision === revision) {
      const limit = request.limit > 0 ? request.limit + 1 : -1
      const entries = rangeCurrent.all(from, end, limit) as unknown as Entry[]
      const more = request.limit > 0 && entries.length > request.limit
      if (more) entries.pop()
      return { entries, revision, more, count: countOf(request.prefix, end) }
    }
    if (request.revision < compacted) throw new CompactedError(compacted)
    const all = rangePast.all(request.prefix, end, request.revision) as unknown as Entry[]
    const rest = all.filter(entry => entry.key >= from)
    const more = request.limit > 0 && rest.length > request.limit
    return { entries: more ? rest.slice(0, request.limit) : rest, revision: request.revision, more, count: all.length }
  }

  function history(request: Extract<WorkerRequest, { type: 'history' }>): LoggedWrite[] {
    if (request.afterRevision < compacted) throw new CompactedError(compacted)
    const rows = readHistory.all(request.afterRevision, request.throughRevision) as unknown as LoggedWrite[]
    return rows.filter(row => row.key.startsWith(request.prefix))
  }

  function recent({ prefix, throughRevision, limit }: Extract<WorkerRequest, { type: 'recent' }>): HistoryAnswer {
    const afterRevision = Math.max(compacted, throughRevision - limit)
    const rows = readRecent.all(afterRevision, throughRevision) as unknown as HistoryAnswer['writes']
    return { afterRevision, writes: rows.filter(row => row.key.startsWith(prefix)) }
  }

  /** One step towards `upTo`: drops what writes of these revisions replaced, and their deletions. */
  function compact(upTo: number): number {
    const from = compacted
    const through = Math.max(from, Math.min(upTo, from + compactionStep))
    inTransaction(() => {
      dropReplaced.run(from, through)
      dropDeletions.run(from, through)
      setFact.run(through, 'compacted')
      setFact.run(revision, 'revision')
    })
    compacted = through
    database.exec(`PRAGMA incremental_vacuum(${compactionStep})`)
    return compacted
  }

  function answer(request: WorkerRequest): Extract<WorkerAnswer, { ok: true }>['value'] {
    switch (request.type) {
      case 'write':
        return inTransaction(() => write(request))
      case 'get': {
        const found = findCurrent.get(request.key) as { revision: number } | undefined
        return found === undefined ? undefined : entryAt(found.revision)
      }
      case 'range':
        return range(request)
      case 'recent':
        return recent(request)
      case 'history':
        return history(request)
      case 'compact':
        return compact(request.revision)
      case 'close':
        return database.close() ?? 0
    }
  }

  // Writes wait for a checkpoint: it is best made when there are none.
  let checkpoint: NodeJS.Timeout | undefined
  let written = 0
  function checkpointWhenIdle(operations: number): void {
    written += operations
    if (written < worthCheckpoint) return
    checkpoint ??= setTimeout(() => {
      checkpoint = undefined
      written = 0
      database.exec('PRAGMA wal_checkpoint(PASSIVE)')
    }, idleMs)
    checkpoint.refresh()
  }

  port.on('message', (request: WorkerRequest) => {
    let reply: WorkerAnswer
    try {
      reply = { id: request.id, ok: true, value: answer(request) }
    } catch (error) {
      const { message, code } = error as Error & { code?: string }
      reply = {
        id: request.id,
        ok: false,
        message,
        ...(code !== undefined && { code }),
        ...(error instanceof CompactedError && { compactedRevision: error.compactedRevision }),
      }
    }
    port.postMessage(reply)
    if (request.type === 'write') checkpointWhenIdle(request.keys.length)
    if (request.type !== 'close') return
    clearTimeout(checkpoint)
    port.close()
  })
  port.postMessage({ hello: true, revision, compactedRevision: compacted } satisfies WorkerHello)
}

try {
  serve(open())
} catch (error) {
  port.postMessage({ hello: false, message: (error as Error).message } satisfies WorkerHello)
  port.close()
}

// What this thread's start needed is given back.
setTimeout(collectThoroughly, 10_000).unref()
