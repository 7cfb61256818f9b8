// Bundles Sampan into dist/: the command, the server, and the store's worker thread.
import { rmSync } from 'node:fs'
import { bundle } from './bundle.ts'

rmSync('dist', { recursive: true, force: true })
const { outputs } = await bundle(
  { sampan: 'src/main/cli.ts', server: 'src/main/server-process.ts', 'sqlite-worker': 'src/store/sqlite-worker.ts' },
  'dist',
)
const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(`dist: ${Object.keys(outputs).length} files, ${Math.round(bytes / 1024)} KB`)
