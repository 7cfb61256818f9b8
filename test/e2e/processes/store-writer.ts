// A process that is made to be killed: writers race for the keys of one SQLite store, and every intention
// and every acknowledgement stands in the file behind descriptor 3 before the next step.
import { writeSync } from 'node:fs'
import { SqliteStore } from '../../../src/store/sqlite-store.ts'
import { checkedValue } from '../../../src/testing/checked-value.ts'

const [file, round, forgettable] = process.argv.slice(2) as [string, string, string]
const writers = 24
const keys = 30

const say = (line: string): void => void writeSync(3, `${line}\n`)
let serial = 0

async function write(store: SqliteStore): Promise<void> {
  const key = `/registry/things/${Math.floor(Math.random() * keys)}`
  const current = await store.get(key)
  const name = `${round}.${serial++}`
  if (current !== undefined && Math.random() < 0.2) {
    say(`delete ${name} ${key}`)
    const result = await store.delete(key, current.revision)
    if (result.ok) say(`done ${name} ${result.revision}`)
    return
  }
  say(`put ${name} ${key}`)
  const result = await store.put(key, checkedValue(name, Math.floor(Math.random() * 20_000)), current?.revision ?? 0)
  if (result.ok) say(`done ${name} ${result.revision}`)
}

const store = await SqliteStore.open(file)
console.log('ready')
for (let writer = 0; writer < writers; writer++) {
  void (async () => {
    for (;;) await write(store)
  })()
}
for (let upTo = Number(forgettable) - 500; upTo < Number(forgettable); upTo += 20) {
  if (upTo > 0) await store.compact(upTo)
  await new Promise(resolve => {
    setTimeout(resolve, 5)
  })
}
