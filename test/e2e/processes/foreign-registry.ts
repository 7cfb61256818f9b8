// A registry elsewhere that has an image for everybody and one behind a password (see ForeignRegistry). Its name is the
// first line it prints; `asked` on its input prints what it was asked for, a list in JSON, and `away` ends it.
import { createInterface } from 'node:readline'
import { busyboxImage } from '../../../src/testing/busybox-image.ts'
import { ForeignRegistry } from '../../../src/testing/foreign-registry.ts'

const foreign = await ForeignRegistry.start()
const { manifest, config, layers } = await busyboxImage()
for (const repository of ['library/web', 'private/web']) {
  for (const { content } of [config, ...layers]) await foreign.inside.pushBlob(repository, content)
  await foreign.inside.pushManifest(repository, '1', manifest.content.toString())
}
console.log(foreign.name)
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'asked') console.log(JSON.stringify(foreign.asked))
  if (line === 'away') break
}
await foreign.close()
console.log('gone')
process.exit(0)
