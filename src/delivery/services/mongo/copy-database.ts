// All of a database, as lines of extended JSON: first what a collection is and its indexes, then its documents. Done
// here because MongoDB's own programs take passwords on their command lines, which others can read.
import type { Readable, Writable } from 'node:stream'
import type { CreateCollectionOptions, Db, Document, IndexDescription } from 'mongodb'
import { linesOf, writeLines } from '../backup-lines.ts'
import { dialect } from './session.ts'

const kind = { type: 'mongo', title: dialect.title } as const

type Line =
  | {
      readonly collection: string
      readonly options: CreateCollectionOptions
      readonly indexes: readonly IndexDescription[]
    }
  | { readonly documents: string; readonly list: readonly Document[] }

const atOnce = 100

export const writeDatabase = (database: Db, to: Writable): Promise<void> =>
  writeLines(kind, to, async writeLine => {
    const { BSON } = await import('./library.ts')
    const write = (line: Line): Promise<void> => writeLine(BSON.EJSON.stringify(line, { relaxed: false }))
    for (const { name, type, options = {} } of await collectionsOf(database)) {
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
  })

interface Found {
  readonly name: string
  readonly type?: string
  readonly options?: Document
}

/** Views are after what they show; what waits to take the place of another one is none of them. */
async function collectionsOf(database: Db): Promise<Found[]> {
  const all = ((await database.listCollections().toArray()) as Found[]).filter(
    ({ name }) => !name.startsWith('system.') && !name.startsWith(waiting),
  )
  return [...all.filter(({ type }) => type !== 'view'), ...all.filter(({ type }) => type === 'view')]
}

const waiting = 'sampan.restoring.'

/** Collections wait under other names until the last document is there; then each takes the place of the old one. */
export async function replaceDatabase(database: Db, from: Readable): Promise<void> {
  const { BSON } = await import('./library.ts')
  for (const { name } of (await database.listCollections().toArray()) as Found[])
    if (name.startsWith(waiting)) await database.dropCollection(name)
  const names: string[] = []
  const views: { readonly name: string; readonly options: CreateCollectionOptions }[] = []
  for await (const text of linesOf(kind, from)) {
    const line = BSON.EJSON.parse(text, { relaxed: false }) as Line
    if ('list' in line) await database.collection(`${waiting}${line.documents}`).insertMany([...line.list])
    else if (line.options.viewOn !== undefined) views.push({ name: line.collection, options: line.options })
    else {
      const collection = await database.createCollection(`${waiting}${line.collection}`, line.options)
      if (line.indexes.length > 0) await collection.createIndexes([...line.indexes])
      names.push(line.collection)
    }
  }
  for (const { name, type } of await collectionsOf(database))
    if (type === 'view' || !names.includes(name)) await database.dropCollection(name)
  for (const name of names) await database.renameCollection(`${waiting}${name}`, name, { dropTarget: true })
  for (const { name, options } of views) await database.createCollection(name, options)
}
