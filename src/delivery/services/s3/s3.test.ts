// Against a server in memory: Debian has none.
import { buffer } from 'node:stream/consumers'
import { startS3Double } from '../../../testing/s3-double.ts'
import { testBackingService, type TestedServer } from '../contract.ts'
import { BucketClient } from './bucket-client.ts'
import { s3 } from './s3.ts'

async function open(): Promise<TestedServer> {
  const server = await startS3Double()
  const client = new BucketClient(server)
  return {
    reached: server,
    close: () => server.close(),
    inventory: async () =>
      [...server.buckets]
        .flatMap(([bucket, objects]) => [
          ...(bucket.startsWith('sampan-owners-') ? [] : [bucket]),
          ...[...objects.keys()].map(key => `${bucket}/${key}`),
        ])
        .sort(),
    makeDatabase: name => client.makeBucket(name),
    write: ({ database }, key, value) => {
      const content = Buffer.from(value)
      return client.write(database, `ä b+c/${key}`, content, content.length, 'text/plain')
    },
    async read({ database }, key) {
      const object = await client.read(database, `ä b+c/${key}`)
      return object && String(await buffer(object.content))
    },
  }
}

testBackingService(s3, open, {
  restoresInPieces: true,
  oddNames: [{ database: 'my.shop-7', credentials: { user: '', password: '' } }],
})
