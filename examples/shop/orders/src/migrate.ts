// `up` brings the schema to what this image needs, `down` back to the version in SAMPAN_SCHEMA_TO, `version` prints
// where it is. Each change is one transaction with its line in the list of changes, so it is all or nothing.
import pg from 'pg'
import { changes } from './changes.ts'

const client = new pg.Client({ connectionString: process.env['DATABASE_URL'] })
await client.connect()
try {
  await client.query('create table if not exists schema_changes (number int primary key)')
  const command = process.argv[2]
  if (command === 'up') await goTo(Math.max(changes.length, await version()))
  else if (command === 'down') await goTo(Number(process.env['SAMPAN_SCHEMA_TO']))
  else if (command === 'version') console.log(await version())
  else throw new Error(`expected up, down or version, found ${command}`)
} finally {
  await client.end()
}

async function version(): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    'select coalesce(max(number), 0) as version from schema_changes',
  )
  return rows[0]!.version
}

async function goTo(goal: number): Promise<void> {
  if (!Number.isInteger(goal)) throw new Error('SAMPAN_SCHEMA_TO does not say which version of the schema is wanted')
  for (let now = await version(); now !== goal; now += now < goal ? 1 : -1) {
    const up = now < goal
    const number = up ? now + 1 : now
    const change = changes[number - 1]!
    await client.query('begin')
    await client.query(up ? change.up : change.down)
    await client.query(up ? 'insert into schema_changes values ($1)' : 'delete from schema_changes where number = $1', [
      number,
    ])
    await client.query('commit')
    console.log(`${up ? 'made' : 'took back'} change ${number}`)
  }
}
