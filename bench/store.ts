// What the store does in a second, and how fast it opens: `node bench/store.ts [rounds] [sqlite|etcd=URL]`.
// Every round is a process of its own (this file with `--inside`) with an empty store, and another one that
// opens it (`--open`); prints medians and the single values as JSON.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machineClock } from '../src/host/machine-clock.ts'
import { ObjectStorage } from '../src/server/storage/object-storage.ts'
import { EtcdStore } from '../src/store/etcd/etcd-store.ts'
import { SqliteStore } from '../src/store/sqlite-store.ts'
import type { Store } from '../src/store/store.ts'

const keyCount = Number(process.env['SAMPAN_BENCH_KEYS'] ?? 100_000)
const singleWrites = 1000
const overwrites = 20_000
const atOnce = 500

type Figures = Record<string, number>

function openStore(kind: string, directory: string): Promise<Store> {
  if (kind === 'sqlite') return SqliteStore.open(join(directory, 'store.db'))
  return EtcdStore.open({ endpoints: kind.slice('etcd='.length).split(','), root: directory, clock: machineClock })
}

/** About the size of a pod. */
const value = (name: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name, namespace: 'default' },
      filler: 'x'.repeat(1500),
    }),
  )
const keyOf = (index: number): string => `/registry/core/pods/default/pod-${index}`

async function perSecond(count: number, width: number, write: (index: number) => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await write(next++)
    }),
  )
  return count / ((performance.now() - startMs) / 1000)
}

async function measure(kind: string): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-bench-'))
  const figures: Figures = {}
  try {
    const store = await openStore(kind, directory)
    const revisions: number[] = []
    const put = async (index: number): Promise<void> => {
      const result = await store.put(keyOf(index % keyCount), value(`pod-${index}`), revisions[index % keyCount] ?? 0)
      if (!result.ok) throw new Error('conflict')
      revisions[index % keyCount] = result.revision
    }
    figures['single durable writes/s'] = await perSecond(singleWrites, 1, put)
    figures[`batched writes/s (${atOnce} at once)`] = await perSecond(keyCount - singleWrites, atOnce, index =>
      put(index + singleWrites),
    )
    const before = kind === 'sqlite' ? sizeOf(directory) : 0
    await perSecond(overwrites, atOnce, put)
    const startMs = performance.now()
    await store.compact(await store.currentRevision())
    figures[`compaction of ${overwrites} overwritten values, ms`] = performance.now() - startMs
    if (kind === 'sqlite')
      figures['database after overwriting and compaction, MB more than before'] = (sizeOf(directory) - before) / 1e6
    await store.close()
    Object.assign(figures, inProcess('--open', directory))
  } finally {
    rmSync(directory, { recursive: true })
  }
  return figures
}

async function measureOpening(directory: string): Promise<Figures> {
  const startMs = performance.now()
  const store = await openStore(kind, directory)
  await ObjectStorage.open(store)
  const openMs = performance.now() - startMs
  const megabytes = process.memoryUsage.rss() / 1e6
  await store.close()
  return { [`open with ${keyCount} keys and fill the caches, ms`]: openMs, 'resident memory after that, MB': megabytes }
}

const inProcess = (...args: string[]): Figures =>
  JSON.parse(execFileSync(process.execPath, [import.meta.filename, ...args, kind], { encoding: 'utf8' })) as Figures
const sizeOf = (directory: string): number =>
  ['store.db', 'store.db-wal'].reduce(
    (sum, name) => sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )

const kind = process.argv.find(argument => argument === 'sqlite' || argument.startsWith('etcd=')) ?? 'sqlite'
if (process.argv.includes('--inside')) console.log(JSON.stringify(await measure(kind)))
else if (process.argv.includes('--open')) console.log(JSON.stringify(await measureOpening(process.argv[3]!)))
else {
  const rounds = Number(process.argv.find(argument => /^\d+$/.test(argument)) ?? 5)
  const all = Array.from({ length: rounds }, () => inProcess('--inside'))
  const results = Object.fromEntries(
    Object.keys(all[0]!).map(name => {
      const values = all.map(figures => Math.round(figures[name]! * 10) / 10)
      const median = values.toSorted((left, right) => left - right)[values.length >> 1]!
      console.error(`${name.padEnd(64)} ${String(median).padStart(10)}   (${values.join(', ')})`)
      return [name, { median, values }]
    }),
  )
  console.log(JSON.stringify(results))
}
