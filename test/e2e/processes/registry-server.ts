// A registry in a process that is made to be killed: its directory is the argument, its port is what it prints. It
// collects garbage all the time, so that kills come then, too.
import { startRegistry } from '../../../src/images/registry/registry.ts'

const registry = await startRegistry({ directory: process.argv[2]!, host: '127.0.0.1', port: 0 })
console.log(registry.port)
for (;;) {
  const response = await fetch(`http://127.0.0.1:${registry.port}/v2/_sampan/prune`, { method: 'POST' })
  await response.arrayBuffer()
}
