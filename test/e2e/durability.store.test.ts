// The store's process is killed with SIGKILL at random points under concurrent writers, again and again.
// SAMPAN_KILLS and SAMPAN_SEED choose how often and when.
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SqliteStore } from '../../src/store/sqlite-store.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { WriteHistory } from '../../src/testing/write-history.ts'

const kills = Number(process.env['SAMPAN_KILLS'] ?? 120)
const seed = Number(process.env['SAMPAN_SEED'] ?? Date.now() % 1_000_000)
const lanes = 2
const writer = join(import.meta.dirname, 'processes/store-writer.ts')

/** Runs writers until they are killed, `lifeMs` after they began; notes what they said. */
async function writeAndKill(file: string, round: number, lifeMs: number, history: WriteHistory): Promise<void> {
  const journal = `${file}.journal`
  const descriptor = openSync(journal, 'w')
  const child = spawn(process.execPath, [writer, file, String(round), String(history.checkedRevision)], {
    stdio: ['ignore', 'pipe', 'inherit', descriptor],
  })
  closeSync(descriptor)
  child.stdout!.once('data', () => void sleep(lifeMs).then(() => child.kill('SIGKILL')))
  await new Promise(resolve => {
    child.once('close', resolve)
  })
  expect(child.signalCode).toBe('SIGKILL')
  for (const line of readFileSync(journal, 'utf8').trimEnd().split('\n')) history.note(line)
}

test.concurrent.for(Array.from({ length: lanes }, (_unused, lane) => lane))(
  `every acknowledged write survives ${kills} kills, seed ${seed}, lane %i`,
  { timeout: 600_000 },
  async lane => {
    const directory = mkdtempSync(join(tmpdir(), 'sampan-durability-'))
    const file = join(directory, 'store.db')
    const random = seededRandom(seed + lane)
    const history = new WriteHistory('/registry/', 1)
    for (let round = 0; round < kills / lanes; round++) {
      await writeAndKill(file, round, random() * 120, history)
      const store = await SqliteStore.open(file)
      try {
        await history.check(store)
      } finally {
        await store.close()
      }
    }
    console.log(
      `seed ${seed}, lane ${lane}: ${Math.ceil(kills / lanes)} kills, ${history.acknowledgedWrites} acknowledged writes, ${Math.round(statSync(file).size / 1e6)} MB`,
    )
    expect(history.acknowledgedWrites).toBeGreaterThan(kills)
    rmSync(directory, { recursive: true })
  },
)
