// All of a database, as lines of extended JSON: first what a collection is and its indexes, then its documents. Done
// here because MongoDB's own programs take passwords on their command lines, which others can read.
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { CreateCollectionOptions, Db, Document, IndexDescription } from 'mongodb'

type Line =
  | {
      readonly collection: string
      readonly options: CreateCollectionOptions
      readonly indexes: readonly IndexDescription[]
    }
  | { readonly documents: string; readonly list: readonly Document[] }

const atOnce = 100

export async function writeDatabase(database: Db, to: Writable): Promise<void> {
  const { BSON } = await import('mongodb')
  async function write(line: Line): Promise<void> {
    if (!to.write(`${BSON.EJSON.stringify(line, { relaxed: false })}\n`)) await once(to, 'drain')
  }
  // Views are after what they show.
  const all = (await database.listCollections().toArray()).filter(({ name }) => !name.startsWith('system.'))
  const sorted = [...all.filter(({ type }) => type !== 'view'), ...all.filter(({ type }) => type === 'view')]
  for (const { name, type, options = {} } of sorted as { name: string; type?: string; options?: Document }[]) {
    const isView = type === 'view'
    const indexes = isView ? [] : ((await database.collection(name).listIndexes().toArray()) as IndexDescription[])
    await write({ collection: name, options, indexes: indexes.filter(index => index.name !== '_id_') })
    if (isView) continue
    let list: Document[] = []
    for await (const document of database.collection(name).find()) {
      list.push(document)
      if (list.length < atOnce) continue
      await write({ documents: name, list })
      list = []
    }
    if (list.length > 0) await write({ documents: name, list })
  }
  to.end()
  await finished(to, { readable: false })
}

export async function readDatabase(database: Db, from: Readable): Promise<void> {
  const { BSON } = await import('mongodb')
  await database.dropDatabase()
  for await (const text of createInterface({ input: from })) {
    const line = BSON.EJSON.parse(text, { relaxed: false }) as Line
    if ('list' in line) await database.collection(line.documents).insertMany([...line.list])
    else {
      const collection = await database.createCollection(line.collection, line.options)
      if (line.indexes.length > 0) await collection.createIndexes([...line.indexes])
    }
  }
}
