// S3: a bucket. The protocol makes no users, so services get the administrator's keys. Not every server keeps something
// beside a bucket, so for whom it was made stands in an object of a bucket of ours, from before it is made: a bucket
// without a finished line is taken for ours only while nothing is in it.
import { createHash } from 'node:crypto'
import { Readable, type Writable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { extract, pack } from 'tar-stream'
import type { BackingService, Granted, Reached } from '../backing-service.ts'
import { foreignFailure, reaching, usedAsItIs } from '../server-access.ts'
import { cutOff, noBackup, wholeDump, type DumpMarks } from '../whole-dump.ts'
import { BucketClient, dialect, hasCode, regionOf } from './bucket-client.ts'

export const s3: BackingService = {
  type: 's3',
  title: dialect.title,
  port: { name: 's3', port: 9000, protocol: 'TCP' },
  credentials: 'administrator',
  administrator: 'sampan',

  managed: ({ image = 'rustfs/rustfs:latest' }) => ({
    process: { image, command: [], security: { root: false, user: 10_001, capabilities: [], readOnlyRoot: false } },
    variables: {
      RUSTFS_ACCESS_KEY: { credential: 'user' },
      RUSTFS_SECRET_KEY: { credential: 'password' },
      RUSTFS_VOLUMES: { value: '/data' },
      RUSTFS_ADDRESS: { value: ':9000' },
    },
    storagePath: '/data',
    health: { kind: 'http', path: '/health', port: 's3' },
    stopSeconds: 30,
  }),

  variables: ({ host, port, database, credentials: { user, password }, secure = port === 443 }: Granted) => {
    const endpoint = `http${secure ? 's' : ''}://${host}:${port}`
    return {
      S3_BUCKET: database,
      S3_ENDPOINT: endpoint,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: regionOf(host),
      AWS_ACCESS_KEY_ID: user,
      AWS_SECRET_ACCESS_KEY: password,
    }
  },

  ensure: (server, wanted, tell = () => {}) =>
    reaching(dialect, server, wanted, async () => {
      const client = new BucketClient(server)
      const lines = linesOf(client, server)
      const { database: bucket, owner } = wanted
      const found = await contentOf(client, server, bucket)
      const line = await lines.read(bucket)
      if (found !== undefined) {
        if (line?.owner === owner && line.made) return []
        if (line?.owner !== owner || found.length > 0) {
          if (line?.owner === owner) await lines.remove(bucket)
          tell(usedAsItIs(`bucket ${bucket}`))
          return []
        }
      } else await lines.write(bucket, { owner, made: false })
      await client.makeBucket(bucket)
      await lines.write(bucket, { owner, made: true })
      return [`bucket ${bucket}`]
    }),

  exists: (server, wanted) =>
    reaching(
      dialect,
      server,
      wanted,
      async () => (await contentOf(new BucketClient(server), server, wanted.database)) !== undefined,
    ),

  drop: (server, wanted) =>
    reaching(dialect, server, wanted, async () => {
      const client = new BucketClient(server)
      const lines = linesOf(client, server)
      const { database: bucket, owner } = wanted
      const line = await lines.read(bucket)
      if (line?.owner !== owner) return []
      const found = await client.list(bucket, 1)
      const isOurs = found !== undefined && (line.made || found.length === 0)
      if (isOurs) await client.removeBucket(bucket)
      await lines.remove(bucket)
      return isOurs ? [`bucket ${bucket}`] : []
    }),

  backup: (server, wanted, to) =>
    reaching(dialect, server, wanted, () => writeObjects(new BucketClient(server), wanted.database, to)),

  restore: (server, wanted, from) =>
    reaching(dialect, server, wanted, async () => {
      const client = new BucketClient(server)
      const kept = await readObjects(client, wanted.database, from)
      // Last, so that of a backup that was cut off nothing goes.
      for await (const key of client.keys(wanted.database))
        if (!kept.has(key)) await client.remove(wanted.database, key)
    }),
}

/** @throws ServiceFailure when it belongs to another account */
async function contentOf(
  client: BucketClient,
  server: Reached,
  bucket: string,
): Promise<readonly string[] | undefined> {
  try {
    return await client.list(bucket, 1)
  } catch (error) {
    if (!hasCode(error, 'AccessDenied', 'AllAccessDisabled')) throw error
    throw foreignFailure(
      dialect,
      server,
      `bucket ${JSON.stringify(bucket)}`,
      'names of buckets are the same for all accounts: choose another one (`s3: { database: ... }`), or let its user in',
    )
  }
}

interface Line {
  readonly owner: string
  readonly made: boolean
}

interface Lines {
  read(bucket: string): Promise<Line | undefined>
  write(bucket: string, line: Line): Promise<void>
  remove(bucket: string): Promise<void>
}

/** In a bucket whose name is this account's alone. */
function linesOf(client: BucketClient, { administrator }: Reached): Lines {
  const place = `sampan-owners-${createHash('sha256').update(administrator.user).digest('hex').slice(0, 16)}`
  return {
    async read(bucket) {
      const found = await client.read(place, bucket)
      return found && ((await json(found.content)) as Line)
    },
    async write(bucket, line) {
      const content = Buffer.from(JSON.stringify(line))
      try {
        await client.write(place, bucket, content, content.length)
      } catch (error) {
        if (!hasCode(error, 'NoSuchBucket')) throw error
        await client.makeBucket(place)
        await client.write(place, bucket, content, content.length)
      }
    },
    remove: bucket => client.remove(place, bucket),
  }
}

/** A tar whose entries are objects; keys are escaped, since not all of them are names of files. */
async function writeObjects(client: BucketClient, bucket: string, to: Writable): Promise<void> {
  const tar = pack()
  async function fill(): Promise<void> {
    for await (const key of client.keys(bucket)) {
      const object = await client.read(bucket, key)
      // It has gone meanwhile.
      if (object === undefined) continue
      const { content, size, type } = object
      const pax = { 'SAMPAN.content-type': type ?? '' }
      await pipeline(content, tar.entry({ name: encodeURIComponent(key), size, pax }))
    }
    tar.finalize()
  }
  await Promise.all([pipeline(tar, to), fill()])
}

/** A tar ends with two blocks of nothing. */
const marks: DumpMarks = { title: dialect.title, begins: /[^]/, ends: /\0{1024}$/ }

/** @returns keys of what it wrote @throws ServiceFailure when it is no such backup, or not all of it */
async function readObjects(client: BucketClient, bucket: string, from: Readable): Promise<ReadonlySet<string>> {
  const tar = extract()
  const feeding = pipeline(Readable.from(await wholeDump(from, marks)), tar)
  feeding.catch(() => {})
  const kept = new Set<string>()
  try {
    for await (const entry of tar) {
      const { name, size, pax } = entry.header
      const type = (pax as Record<string, string> | undefined)?.['SAMPAN.content-type']
      const key = decodeURIComponent(name)
      await client.write(bucket, key, Readable.from(entry), size, type === '' ? undefined : type)
      kept.add(key)
    }
    await feeding
  } catch (error) {
    const { message } = error as Error
    if (message.startsWith('Invalid tar header')) throw noBackup(dialect.title, 'what is no tar')
    throw message.startsWith('Unexpected end of data') ? cutOff(dialect.title) : error
  }
  return kept
}
