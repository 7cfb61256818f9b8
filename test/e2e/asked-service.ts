// A service of Node.js that answers with its version after a moment, for tests that ask it all the time.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { folder, type ClusterFixture } from '../../src/testing/cluster-fixture.ts'

/** Ends as a service should: it takes no new connections, and says with its last answers that they are the last. */
const code = `
let stopping = false
const server = require('node:http').createServer((request, response) => {
  if (stopping) response.setHeader('connection', 'close')
  setTimeout(() => response.end(JSON.stringify({ version: process.env.SERVICE_VERSION })), 5)
}).listen(8080)
server.keepAliveTimeout = 60_000
process.on('SIGTERM', () => {
  stopping = true
  const idle = setInterval(() => server.closeIdleConnections(), 1000)
  setTimeout(() => server.close(() => { clearInterval(idle); process.exit() }), 1000)
})
`

/** As the image `sampan.local/asked`, whose port is 8080. */
export async function buildAsked(cluster: ClusterFixture, versions: readonly string[]): Promise<void> {
  const source = folder(cluster.directory, 'asked')
  writeFileSync(join(source, 'package.json'), JSON.stringify({ name: 'asked', version: '1.0.0', main: 'main.js' }))
  writeFileSync(join(source, 'main.js'), code)
  for (const version of versions) await cluster.build(source, `asked:${version}`)
}
